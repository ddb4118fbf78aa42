// JS implementation of the Nexmark event generator (Beam variant: java.util.Random seeded per event id)
const M24 = 16777216; // the multiplier 0x5DEECE66D = 0x5DE << 24 | 0xECE66D
const mLo = 0xece66d,
  mHi = 0x5de;
export class JRandom {
  constructor() {
    this.lo = 0;
    this.hi = 0;
  }
  seed(n) {
    // n < 2^53 non-negative
    const nlo = n % M24,
      nhi = Math.floor(n / M24) % M24;
    this.lo = (nlo ^ mLo) >>> 0;
    this.hi = (nhi ^ mHi) >>> 0;
    return this;
  }
  step() {
    const l = this.lo * mLo + 0xb;
    const carry = Math.floor(l / M24);
    const h = this.hi * mLo + this.lo * mHi + carry;
    this.lo = l - carry * M24;
    this.hi = h - Math.floor(h / M24) * M24;
  }
  next32() {
    this.step();
    return (this.hi << 8) | (this.lo >>> 16);
  } // signed int
  next31() {
    this.step();
    return (this.hi << 7) | (this.lo >>> 17);
  } // 0..2^31-1
  next26() {
    this.step();
    return (this.hi << 2) | (this.lo >>> 22);
  }
  next27() {
    this.step();
    return (this.hi << 3) | (this.lo >>> 21);
  }
  nextInt(b) {
    if ((b & -b) === b) {
      const r = this.next31();
      return Math.floor((b * r) / 2147483648);
    }
    for (;;) {
      const bits = this.next31();
      const v = bits % b;
      if (bits - v + (b - 1) <= 2147483647) return v;
    }
  }
  nextDouble() {
    const a = this.next26();
    return (a * 134217728 + this.next27()) * 1.1102230246251565e-16;
  }
}
const STATES = "AZ,CA,ID,OR,WA,WY".split(","),
  CITIES = "Phoenix,Los Angeles,San Francisco,Boise,Portland,Bend,Redmond,Seattle,Kent,Cheyenne".split(","),
  FIRST = "Peter,Paul,Luke,John,Saul,Vicky,Kate,Julie,Sarah,Deiter,Walter".split(","),
  LAST = "Shultz,Abrams,Spencer,White,Bartels,Walton,Smith,Jones,Noris".split(",");
export class Gen {
  constructor({
    baseTime = 1436918400000,
    delayUs = 100,
    group = 1,
    firstEventId = 0,
    firstEventNumber = 0,
  } = {}) {
    Object.assign(this, { baseTime, delayUs, group, firstEventId, firstEventNumber });
    this.r = new JRandom();
    this.buf = Buffer.alloc(4096);
  }
  ts(n) {
    return this.baseTime + Math.floor((n * this.delayUs) / 1000);
  }
  adj(n) {
    const g = this.group,
      e = this.firstEventNumber + n;
    return Math.floor(e / g) * g + ((e * 953) % g);
  }
  str(max, sp = 32) {
    const r = this.r;
    const len = 3 + r.nextInt(max - 3);
    const b = this.buf;
    for (let i = 0; i < len; i++) b[i] = r.nextInt(13) === 0 ? sp : 97 + r.nextInt(26);
    return b.latin1Slice(0, len).trim();
  }
  exact(len) {
    const r = this.r,
      b = this.buf;
    let rnd = 0,
      n = 0;
    for (let i = 0; i < len; i++) {
      if (n === 0) {
        rnd = r.next32();
        n = 6;
      }
      b[i] = 97 + (rnd % 26);
      rnd = (rnd / 26) | 0;
      n--;
    }
    return b.latin1Slice(0, len);
  }
  extra(cur, avg) {
    if (cur > avg) return "";
    const d = avg - cur;
    const delta = Math.round(d * 0.2);
    const min = d - delta;
    return this.exact(min + (delta === 0 ? 0 : this.r.nextInt(2 * delta)));
  }
  price() {
    return Math.round(Math.pow(10, this.r.nextDouble() * 6) * 100);
  }
  lastP(id) {
    const e = Math.floor(id / 50);
    return e;
  } // 1 person per 50
  lastA(id) {
    let e = Math.floor(id / 50),
      o = id % 50;
    if (o < 1) {
      e--;
      o = 2;
    } else if (o >= 4) o = 2;
    else o -= 1;
    return e * 3 + o;
  }
  nextP(id) {
    const n = this.lastP(id) + 1,
      act = Math.min(n, 1000);
    return n - act + this.r.nextInt(act + 10);
  }
  nextA(id) {
    const max = this.lastA(id),
      min = Math.max(max - 100, 0);
    return min + this.r.nextInt(max - min + 1 + 10);
  }
  event(i) {
    const id = this.firstEventId + this.adj(i);
    const ts = this.ts(this.adj(i));
    const r = this.r.seed(id);
    const rem = id % 50;
    if (rem < 1) {
      const pid = this.lastP(id) + 1000;
      const name = FIRST[r.nextInt(11)] + " " + LAST[r.nextInt(9)];
      const email = this.str(7) + "@" + this.str(5) + ".com";
      let cc = "";
      for (let k = 0; k < 4; k++) {
        if (k) cc += " ";
        cc += String(r.nextInt(10000)).padStart(4, "0");
      }
      const city = CITIES[r.nextInt(10)],
        state = STATES[r.nextInt(6)];
      const cur = 8 + name.length + email.length + cc.length + city.length + state.length;
      return {
        person: {
          id: pid,
          name,
          emailAddress: email,
          creditCard: cc,
          city,
          state,
          dateTime: ts,
          extra: this.extra(cur, 200),
        },
      };
    }
    if (rem < 4) {
      const aid = this.lastA(id) + 1000;
      let seller = r.nextInt(4) > 0 ? Math.floor(this.lastP(id) / 100) * 100 : this.nextP(id);
      seller += 1000;
      const category = 10 + r.nextInt(5);
      const initialBid = this.price();
      const horizon = this.ts(this.adj(i) + Math.floor((100 * 50) / 3)) - ts;
      const expires = ts + 1 + r.nextInt(Math.max(horizon * 2, 1));
      const itemName = this.str(20),
        description = this.str(100);
      const reserve = initialBid + this.price();
      const cur = 8 + itemName.length + description.length + 40;
      return {
        auction: {
          id: aid,
          itemName,
          description,
          initialBid,
          reserve,
          dateTime: ts,
          expires,
          seller,
          category,
          extra: this.extra(cur, 500),
        },
      };
    }
    let auction = r.nextInt(2) > 0 ? Math.floor(this.lastA(id) / 100) * 100 : this.nextA(id);
    auction += 1000;
    let bidder = r.nextInt(4) > 0 ? Math.floor(this.lastP(id) / 100) * 100 + 1 : this.nextP(id);
    bidder += 1000;
    const price = this.price();
    return { bid: { auction, bidder, price, dateTime: ts, extra: this.extra(32, 100) } };
  }
}
if ((process.argv[1] || "").endsWith("nexgen.mjs")) {
  const zlib = await import("node:zlib");
  const n = +process.argv[2],
    g = +process.argv[3];
  const G = new Gen({ group: g });
  let crc = 0,
    bytes = 0;
  const t = Date.now();
  for (let i = 0; i < n; i++) {
    const s = JSON.stringify(G.event(i)) + "\n";
    const b = Buffer.from(s);
    crc = zlib.crc32(b, crc);
    bytes += b.length;
  }
  console.log("events", n, "group", g, "bytes", bytes, "crc32", crc.toString(16), "ms", Date.now() - t);
}

/**
 * Single publishes that are answered: what plan and commit log are appended with, several times in every epoch. As a request of the client, without
 * its error objects, parsing and lists.
 *
 * J1 of the connection holds: what was in flight at a disconnect rejects at once, its outcome is unknown.
 */
import { AuthorizationError, UnavailableError } from "../../core/errors.ts";
import { REQUEST_TIMEOUT_MS } from "../../core/limits.ts";
import type { ApiFailure } from "./api.ts";
import type { Connection } from "./connection.ts";
import type { AckInbox, AckLane, Outgoing } from "./publisher.ts";

/** The sequence that the message has, or why the server refused it. */
export interface PublishAnswer {
  readonly sequence: number;
  readonly refused: ApiFailure | undefined;
}

interface Waiting {
  readonly subject: string;
  readonly end: (error: unknown, answer?: PublishAnswer) => void;
}

export class AnsweredPublish {
  readonly #connection: Connection;
  readonly #inbox: AckInbox;
  readonly #waiting = new Map<number, Waiting>();
  #lane: AckLane | undefined;

  constructor(connection: Connection, inbox: AckInbox) {
    this.#connection = connection;
    this.#inbox = inbox;
  }

  /** UnavailableError on silence, disconnect and when nobody takes the subject (NO_RESPONDERS); AuthorizationError when denied. */
  send(m: Outgoing): Promise<PublishAnswer> {
    const c = this.#connection;
    if (!c.connected) return Promise.reject(this.#lost("cannot be reached"));
    const lane = (this.#lane ??= this.#open());
    return new Promise((resolve, reject) => {
      const n = lane.publish(m);
      const cancel = c.clock.after(REQUEST_TIMEOUT_MS, () =>
        this.#waiting.get(n)?.end(this.#lost(`no answer on ${m.subject}`)),
      );
      const end: Waiting["end"] = (error, answer) => {
        this.#waiting.delete(n);
        cancel();
        if (answer === undefined) reject(error as Error);
        else resolve(answer);
      };
      this.#waiting.set(n, { subject: m.subject, end });
    });
  }

  #lost(why: string): unknown {
    const { ended, servers } = this.#connection;
    return ended ?? new UnavailableError(`NATS at ${servers}: ${why}`);
  }

  #open(): AckLane {
    const all = (why: string): void => {
      for (const w of [...this.#waiting.values()]) w.end(this.#lost(why));
    };
    this.#connection.listen({
      disconnected: () => all("the connection was lost"),
      closed: () => all("the connection is closed"),
      denied: (_, subject) => {
        for (const w of [...this.#waiting.values()])
          if (w.subject === subject) w.end(new AuthorizationError(`NATS does not permit ${subject}`));
      },
    });
    return this.#inbox.lane((n, sequence, unanswered, refused) => {
      const w = this.#waiting.get(n);
      if (unanswered === undefined) w?.end(undefined, { sequence, refused });
      else w?.end(unanswered);
    });
  }
}

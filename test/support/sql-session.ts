/** A SQL session over a test cluster, whose clock moves while a script runs: queries that end by themselves do. */
import { SessionCatalog } from "../../src/plan/catalog.ts";
import { SqlSession } from "../../src/sql/session.ts";
import { resultText, type StatementResult } from "../../src/sql/statement-result.ts";
import { TestCluster, type TestClusterOptions } from "../../src/testing/cluster.ts";
import { settle } from "../../src/testing/virtual-clock.ts";

export class TestSql {
  readonly catalog = new SessionCatalog();
  readonly cluster: TestCluster;
  readonly session: SqlSession;

  constructor(options: TestClusterOptions = {}) {
    this.cluster = new TestCluster({ partitions: 2, ...options });
    this.session = new SqlSession({
      catalog: this.catalog,
      runtime: async () => (await this.cluster.node(0)).runtime,
      compatibility: options.compatibility ?? "extended",
    });
  }

  async run(text: string): Promise<readonly StatementResult[]> {
    let done = false;
    const running = this.session.run(text).finally(() => (done = true));
    running.catch(() => {});
    while (!done) {
      await settle(20);
      if (!done) await this.cluster.advanceTime(50);
    }
    return running;
  }

  /** The text of the last statement's result. */
  async shown(text: string): Promise<string> {
    const results = await this.run(text);
    return resultText(results.at(-1)!, { timeZone: this.session.timeZone });
  }

  /** The rows of the last statement. */
  async rows(text: string): Promise<unknown[][]> {
    const last = (await this.run(text)).at(-1)!;
    if (last.kind !== "rows") throw new Error(`no rows: ${last.kind}`);
    return last.rows.map((r) => [...r]);
  }

  /** The message of the error that a script ends with. */
  async failure(
    text: string,
  ): Promise<{ readonly errorClass: string | undefined; readonly message: string }> {
    try {
      await this.run(text);
    } catch (e) {
      const { errorClass, message } = e as { errorClass?: string; message: string };
      return { errorClass, message };
    }
    throw new Error(`the script ran: ${text}`);
  }

  close(): Promise<void> {
    return this.cluster.close();
  }
}

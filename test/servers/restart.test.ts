import { describe, it } from "node:test";
import postgres from "postgres";
import { Hephaestus } from "../../mod.ts";
import { furnish, order, settle, shop } from "../around/shop.ts";
import { keeping } from "../everywhere.ts";
import { ownServer } from "../pg.ts";

const working = { poll: "50ms", heartbeat: "100ms", lease: "5s", queues: { default: 10 } } as const;

describe("a server that is restarted", () => {
  it("loses nothing, whether it lets its sessions end or not", async () => {
    await using server = await ownServer();
    await furnish(server.url);
    const sql = postgres(server.url, { max: 2, onnotice: () => {} });
    const options = { url: server.url, workflows: [shop], logger: keeping() };
    await using one = new Hephaestus(options);
    await using two = new Hephaestus({ ...options, inline: false });
    try {
      for (const each of [one, two]) await each.work(working).ready;
      for (const mode of ["fast", "immediate"] as const) {
        const before = await order(one, 10, mode);
        const during = order(two, 10, `${mode} again `);
        await server.stop(mode);
        await server.start();

        await settle(one, sql, [...before, ...await during], { cut: true });
      }
    } finally {
      await sql.end();
    }
  });
});

import process from "node:process";
import { open, pace } from "./engine.ts";
import { gateway } from "./gateway.ts";

/** A process that only works. It ends when its parent closes the pipe between them or exits. */
export async function work(): Promise<void> {
  const url = process.env.DATABASE_URL ?? "";
  // Ctrl-C reaches all processes of a terminal. The parent tells this one when to end.
  process.on("SIGINT", () => {});
  await using _payments = gateway.connect(url);
  await using hephaestus = open(url);
  await hephaestus.work(pace).ready;
  process.stdout.write("ready\n");
  await new Promise<void>((resolve) => process.stdin.on("close", resolve).resume());
}

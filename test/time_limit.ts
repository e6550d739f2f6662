// Loaded before each test file in Node: a test that hangs is named, and ends its process.
import process from "node:process";
import { afterEach, beforeEach } from "node:test";

const minutes = 10;
let timer: NodeJS.Timeout | undefined;

beforeEach((test) => {
  timer = setTimeout(() => {
    console.error(
      `"${"name" in test ? test.name : ""}" still runs after ${minutes} minutes: it hangs`,
    );
    process.exit(1);
  }, minutes * 60_000);
  timer.unref();
});
afterEach(() => clearTimeout(timer));

import { createServer, type Server, type Socket, Socket as Client } from "node:net";

/** A road to a server that can be broken in the ways that networks break. */
export interface Proxy extends AsyncDisposable {
  /** The server's URL with the proxy's address. */
  readonly url: string;
  /** Connections that are open through it. */
  readonly open: number;
  /** Resets every connection. */
  cut(): void;
  /** Hangs up on new connections, or takes them again. */
  refuse(on: boolean): void;
  /** Lets nothing pass in either direction, though every socket stays open. */
  stall(on: boolean): void;
  /** Takes what clients send to the server and drops what it answers. */
  deaf(on: boolean): void;
  /** Delays everything in both directions; what waits passes when it is taken off. */
  hold(on: boolean): void;
  /** Delays what is sent from now on by so many milliseconds in each direction. */
  slow(milliseconds: number): void;
  /** Drops what the server sends to the connections that listen. */
  deafListener(on: boolean): void;
  /** Loses the answer to what is sent after `count` more messages, and its connection with it. */
  swallowAnswerAfter(count: number): void;
  /** Loses the answer to the next statement that holds `text`, and its connection with it. */
  swallowAnswerTo(text: string): void;
  /** Leads new connections to another server. */
  leadTo(url: string): void;
  /** Statements seen that hold `text`. */
  seen(text: string): number;
}

/** `remember: false` for long runs: what was sent is not kept for `seen`. */
export async function proxy(url: string, { remember = true } = {}): Promise<Proxy> {
  let target = new URL(url);
  const pairs = new Set<readonly [Socket, Client]>();
  const sent: string[] = [];
  let holding = false;
  let latency = 0;
  let listenerDeaf = false;
  let countdown = -1;
  let refusing = false;
  let stalled = false;
  let deafened = false;
  let swallow: string | undefined;

  const server = createServer((client) => {
    client.on("error", () => {});
    if (refusing) return client.destroy();
    const upstream = new Client();
    const pair = [client, upstream] as const;
    pairs.add(pair);
    let swallowing = false;
    let listens = false;
    const sendUp = late(upstream, () => latency);
    const sendDown = late(client, () => latency);
    const end = () => {
      pairs.delete(pair);
      client.destroy();
      upstream.destroy();
    };
    upstream.on("error", end).on("close", end);
    client.on("close", end);
    client.on("data", (bytes) => {
      if (stalled) return;
      const text = bytes.toString("latin1");
      if (remember) sent.push(text);
      if (/\blisten "/i.test(text)) listens = true;
      if (countdown >= 0 && countdown-- === 0) swallowing = true;
      if (swallow !== undefined && text.includes(swallow)) {
        swallow = undefined;
        swallowing = true;
      }
      sendUp(bytes);
    });
    upstream.on("data", (bytes) => {
      if (swallowing) return end();
      if (!stalled && !deafened && !(listens && listenerDeaf)) sendDown(bytes);
    });
    upstream.connect(Number(target.port), target.hostname);
    if (holding) { for (const socket of pair) socket.pause(); }
  });
  const port = await listening(server);
  const own = new URL(url);
  own.hostname = "127.0.0.1";
  own.port = String(port);

  const cut = () => {
    for (const [client, upstream] of pairs) {
      client.destroy();
      upstream.destroy();
    }
  };
  return {
    url: own.href,
    get open() {
      return pairs.size;
    },
    cut,
    refuse: (on) => void (refusing = on),
    stall: (on) => void (stalled = on),
    deaf: (on) => void (deafened = on),
    hold: (on) => {
      holding = on;
      for (const socket of [...pairs].flat()) on ? socket.pause() : socket.resume();
    },
    slow: (milliseconds) => void (latency = milliseconds),
    deafListener: (on) => void (listenerDeaf = on),
    swallowAnswerAfter: (count) => void (countdown = count),
    swallowAnswerTo: (text) => void (swallow = text),
    leadTo: (url) => void (target = new URL(url)),
    seen: (text) => sent.filter((chunk) => chunk.includes(text)).length,
    async [Symbol.asyncDispose]() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Writes in the order of the calls, each after the latency of its moment. */
function late(to: Socket, latency: () => number): (bytes: Uint8Array) => void {
  let before = Promise.resolve();
  let waiting = 0;
  return (bytes) => {
    if (waiting === 0 && latency() === 0) return void to.write(bytes);
    waiting++;
    const due = new Promise((resolve) => setTimeout(resolve, latency()));
    before = before.then(() => due).then(() => {
      waiting--;
      if (!to.destroyed) to.write(bytes);
    });
  };
}

function listening(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address ? address.port : 0);
    });
  });
}

/** A Sentinel that says what it was given, for what real ones say for a moment only. */

/** What a {@link FakeSentinel} says of the one set that it knows. */
export interface FakeView {
  /** Of the primary, on this machine. */
  readonly port: number;
  readonly epoch: number;
  /** As Sentinels write them, such as `master,o_down`. */
  readonly flags: string;
}

/** A listening {@link startFakeSentinel}. */
export interface FakeSentinel extends AsyncDisposable {
  readonly port: number;
  /** How often it was asked who is the primary. */
  readonly asked: number;
}

/** Starts one on a free port. */
export function startFakeSentinel(view: FakeView): FakeSentinel {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const links = new Set<Deno.Conn>();
  let asked = 0;
  const serve = async (link: Deno.Conn) => {
    links.add(link);
    let text = "";
    for await (const bytes of link.readable.pipeThrough(new TextDecoderStream())) {
      text += bytes;
      for (let call = takeCall(text); call !== undefined; call = takeCall(text)) {
        text = call.rest;
        if (call.words[0]?.toLowerCase() === "sentinel") asked++;
        await link.write(new TextEncoder().encode(answerTo(call.words, view)));
      }
    }
  };
  const work = (async () => {
    for await (const link of listener) {
      serve(link).catch(() => {}).finally(() => links.delete(link));
    }
  })();
  return {
    port: listener.addr.port,
    get asked() {
      return asked;
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const link of links) link.close();
      await work;
    },
  };
}

/** The first call in what was received, where it is whole. None of its words has a line break. */
function takeCall(text: string): { words: string[]; rest: string } | undefined {
  const lines = text.split("\r\n");
  const count = Number(lines[0]?.slice(1));
  const length = 1 + 2 * count;
  if (!(count > 0) || lines.length <= length) return undefined;
  const words = lines.slice(1, length).filter((_, i) => i % 2 === 1);
  return { words, rest: lines.slice(length).join("\r\n") };
}

/** In RESP3. */
function answerTo([name = "", channel = ""]: readonly string[], view: FakeView): string {
  switch (name.toLowerCase()) {
    case "hello":
      return mapOf({ proto: "3" }).replace("+3", ":3");
    case "subscribe":
      return `>3\r\n+subscribe\r\n+${channel}\r\n:1\r\n`;
    case "sentinel":
      return mapOf({
        ip: "127.0.0.1",
        port: `${view.port}`,
        flags: view.flags,
        "config-epoch": `${view.epoch}`,
      });
    default:
      return "+PONG\r\n";
  }
}

function mapOf(fields: Readonly<Record<string, string>>): string {
  const all = Object.entries(fields);
  return `%${all.length}\r\n${all.map(([name, text]) => `+${name}\r\n+${text}\r\n`).join("")}`;
}

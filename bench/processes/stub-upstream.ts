/** A model's server that answers every call at once with the same few words: what a proxy adds is then all that is seen. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const message = { role: "assistant", content: "The answer is forty-two." };
const body = JSON.stringify({
  ...{ id: "c", object: "chat.completion", created: 1, model: "m" },
  choices: [{ index: 0, message, finish_reason: "stop" }],
  usage: { prompt_tokens: 9, completion_tokens: 6, total_tokens: 15 },
});

const server = createServer((incoming, outgoing) => {
  incoming.resume().on("end", () => {
    outgoing.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
    outgoing.end(body);
  });
});
server.listen(0, "127.0.0.1", () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));

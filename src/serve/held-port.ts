/**
 * A port that is listened on before there is anything to answer with, so that one which is taken is told before minutes are
 * spent on a start. Until then every request gets status 503.
 */
import { Hono } from "hono";
import { startWebServer, type WebServer } from "../foundation/web-server.ts";
import { answerError } from "./answer-error.ts";
import { serverPaused } from "./server-paused.ts";

export interface HeldPort extends WebServer {
  /** From now on, requests are its. */
  answerBy(app: Pick<Hono, "fetch">): void;
}

/** Throws: `PORT_IN_USE`, `CANNOT_LISTEN`. */
export async function holdPort(at: { host: string; port: number }): Promise<HeldPort> {
  let answering: Pick<Hono, "fetch"> = startingApp();
  const web = await startWebServer((...asked) => answering.fetch(...asked), at);
  return {
    ...web,
    answerBy(app) {
      answering = app;
    },
  };
}

function startingApp(): Hono {
  const app = new Hono();
  const told = { closing: new AbortController().signal, onBug: console.error };
  app.onError((error, c) => answerError(error, c, told));
  app.all("*", () => {
    throw serverPaused();
  });
  return app;
}

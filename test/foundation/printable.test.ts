import { expect, test } from "vitest";
import { printable } from "../../src/foundation/printable.ts";

test("control characters are shown, and tabs and line ends are left", () => {
  expect(printable("a\u001b[31mb\u0000\u009b2J\tc\r\nd\re\n")).toBe("a\ufffd[31mb\ufffd\ufffd2J\tc\nd\ufffde\n");
});

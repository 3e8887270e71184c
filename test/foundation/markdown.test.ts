import { expect, test } from "vitest";
import { fenced, markdownTable } from "../../src/foundation/markdown.ts";

test("a text cannot leave its fence", () => {
  expect(fenced("a\n```\n# out\n````")).toBe("`````text\na\n```\n# out\n````\n`````");
});

test("a long text is cut where a limit is given, and says by how much", () => {
  expect(fenced("abcdef", 4)).toBe("```text\nabcd\n... (2 more characters)\n```");
  expect(fenced("abcdef")).toBe("```text\nabcdef\n```");
});

test("control characters of a text are shown in a fence and in a cell", () => {
  expect(fenced("a\u001b[31m")).toContain("a\ufffd[31m");
  expect(markdownTable(["x"], [["a\u0007b"]])).toContain("| a\ufffdb |");
});

test("no cell ends its row or its table", () => {
  const [, , row] = markdownTable(["x", "n"], [["a|b\n<b>\\", "1"]]).split("\n");
  expect(row).toBe("| a\\|b &lt;b>\\\\ | 1 |");
});

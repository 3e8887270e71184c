import { statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { checkDiskSpace } from "../../src/foundation/disk-space.ts";

test("more than the disk has is refused with both figures", async () => {
  const { bavail, bsize } = await statfs(tmpdir());
  await checkDiskSpace(tmpdir(), 1, "anything");
  await expect(checkDiskSpace(tmpdir(), 10 * bavail * bsize, "a tenfold")).rejects.toMatchObject({
    code: "NO_DISK_SPACE",
    message: "The disk has no room for a tenfold.",
    details: { expected: expect.stringMatching(/^\d+ MB$/), got: expect.stringMatching(/^\d+ MB$/), where: tmpdir() },
  });
});

/**
 * Puts a schedule into a task: bare, or as the time of some job. The job never bears on the schedule.
 */
import type { Random } from "../../src/foundation/random.ts";

/** What is to be done, and the same as a noun. */
const JOBS: readonly (readonly [string, string])[] = [
  ["rotate the logs", "the log rotation"],
  ["back up the database", "the database backup"],
  ["send the status report", "the status report"],
  ["clear the cache", "the cache cleaner"],
  ["check the free disk space", "the disk check"],
  ["sync the shared files", "the file sync"],
  ["water the plants", "the sprinkler"],
  ["refresh the dashboard", "the dashboard refresh"],
  ["renew the certificates", "the certificate renewal"],
  ["ping the web server", "the server ping"],
  ["export the orders", "the order export"],
  ["rebuild the search index", "the index build"],
  ["update the prices", "the price update"],
  ["archive old mail", "the mail archiver"],
  ["restart the worker", "the worker restart"],
  ["scan for viruses", "the virus scan"],
  ["charge the subscriptions", "the billing job"],
  ["print the shipping labels", "the label printer"],
  ["close the blinds", "the blinds timer"],
  ["turn on the porch light", "the porch light"],
  ["publish the newsletter", "the newsletter"],
  ["take a snapshot of the volume", "the volume snapshot"],
  ["collect the metrics", "the metrics collector"],
  ["import the product feed", "the feed import"],
  ["delete temporary files", "the temp file cleanup"],
  ["read the water meter", "the meter reading"],
  ["feed the fish", "the fish feeder"],
  ["ring the school bell", "the school bell"],
  ["run the integration tests", "the test suite"],
  ["fetch the exchange rates", "the rate fetcher"],
  ["compress old images", "the image compressor"],
  ["remind the team to stretch", "the stretch reminder"],
];

/** A task in words around the words of its schedule, which follow a verb well: "every day at noon". */
export function taskWords(when: string, random: Random): string {
  const [deed, noun] = random.pick(JOBS);
  const words = random.pick([
    capital(when),
    capital(when),
    `${capital(when)}.`,
    `${capital(deed)} ${when}.`,
    `${capital(deed)} ${when}.`,
    `${capital(when)}, ${deed}.`,
    `Run ${noun} ${when}.`,
    `Start ${noun} ${when}.`,
    `I want ${noun} to run ${when}.`,
    `${capital(noun)} has to run ${when}.`,
    `Please ${deed} ${when}.`,
  ]);
  return words.replace(/\.\.$/, ".");
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

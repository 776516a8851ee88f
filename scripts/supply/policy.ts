// What was decided about dependencies by people, and when: policy.json.
import { readFileSync } from "node:fs";
import { z } from "zod";

const review = {
  /** Why it is taken in spite of it; for the next reader. */
  reason: z.string().min(20),
  /** When somebody last looked. */
  reviewed: z.iso.date(),
};

const policySchema = z.strictObject({
  licences: z.strictObject({
    /** SPDX ids. */
    allowed: z.array(z.string().min(1)),
    /** `package` may end in `*`. */
    exceptions: z.array(z.strictObject({ package: z.string(), licence: z.string(), ...review })),
  }),
  advisories: z.strictObject({
    exceptions: z.array(
      z.strictObject({ id: z.string().startsWith("GHSA-"), package: z.string(), ...review }),
    ),
  }),
});

export type Policy = z.infer<typeof policySchema>;

/** @throws ZodError */
export function readPolicy(): Policy {
  return policySchema.parse(JSON.parse(readFileSync(new URL("policy.json", import.meta.url), "utf8")));
}

const REVIEW_AGAIN_DAYS = 365;

/** Reviews that are so old that somebody should look again. It makes no test red: nothing has changed but the date. */
export function oldReviews(policy: Policy, now: Date): string[] {
  const exceptions = [...policy.licences.exceptions, ...policy.advisories.exceptions];
  return exceptions
    .filter(({ reviewed }) => now.getTime() - Date.parse(reviewed) > REVIEW_AGAIN_DAYS * 86_400_000)
    .map((exception) => `${exception.package}: reviewed ${exception.reviewed}, look again`);
}

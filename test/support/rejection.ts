/** What a promise is rejected with; heard from now on, so that it can be looked at later. Fails when it is not rejected. */
export function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => {
      throw new Error(`was not rejected, but gave ${JSON.stringify(value)}`);
    },
    (error: unknown) => error,
  );
}

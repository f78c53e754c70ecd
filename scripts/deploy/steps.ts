/** A step could not be done. The message says what to do about it. */
export class StepError extends Error {
  override readonly name = 'StepError';
}

type Step<Thing> = {
  name: string;
  /** What is done when the step fails. */
  advice: string;
  find: () => Promise<Thing | null>;
  make: () => Promise<Thing>;
  /** The step's line once the thing is there. */
  tell: (thing: Thing) => string;
  /** The line for what is to be made. */
  plan: string;
};

/** The steps of a deployment: each tells in one line what was there already, what was made, or what would be. */
export const createSteps = (print: (line: string) => void, isDryRun: boolean) => {
  const say = (name: string, text: string): void => print(`${name.padEnd(12)} ${text}`);

  const attempt = async <Result>(name: string, advice: string, work: () => Promise<Result>): Promise<Result> => {
    try {
      return await work();
    } catch (error) {
      if (error instanceof StepError) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw new StepError(`${name} failed: ${reason}\n${advice}\nThe same command again goes on from here.`);
    }
  };

  return {
    say,
    attempt,

    /** What is there, or is made now. Null: it would be made, and nothing is in a dry run. */
    ensure: <Thing>({ name, advice, find, make, tell, plan }: Step<Thing>): Promise<Thing | null> =>
      attempt(name, advice, async () => {
        const found = await find();
        if (found !== null) {
          say(name, `${tell(found)}: there already`);
          return found;
        }
        if (isDryRun) {
          say(name, `${plan}: would be made`);
          return null;
        }
        const made = await make();
        say(name, `${tell(made)}: made`);
        return made;
      }),
  };
};

export type Steps = ReturnType<typeof createSteps>;

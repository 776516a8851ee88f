/** A value as somebody wrote it, and how the place is called in a problem. */
export interface Written {
  readonly key: string;
  readonly text: string;
  /** It is a list of the YAML file, its parts joined by commas. */
  readonly list?: true;
}

/** `key` as the operator wrote or should write it; `problem` completes a sentence about it; `hint` what to do. */
export interface ConfigProblem {
  key: string;
  problem: string;
  hint: string;
}

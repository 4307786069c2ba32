// Measures several subjects in turn, round by round, so that a disturbance of the machine affects all of them.

export interface Rounds {
  readonly rounds: number
  /** Rounds before the first one that counts. */
  readonly warmUps?: number
}

/** The samples of each subject, in the order of the subjects. */
export async function inTurn<S, Sample>(
  subjects: readonly S[],
  { rounds, warmUps = 0 }: Rounds,
  measure: (subject: S, round: number) => Promise<Sample>,
): Promise<readonly (readonly Sample[])[]> {
  const samples: Sample[][] = subjects.map(() => [])
  for (let round = -warmUps; round < rounds; round++) {
    for (const [index, subject] of subjects.entries()) {
      const sample = await measure(subject, round)
      if (round >= 0) samples[index]?.push(sample)
    }
  }
  return samples
}

/** The median of an odd number of values, and the upper one of the two in the middle of an even number. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

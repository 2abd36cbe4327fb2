export interface Outcome {
  scenario: string;
  passed: boolean;
  /** Checks of the scenario's own that succeeded. */
  succeeded: number;
  failed: number;
  /** Why it did not pass. */
  reasons: string[];
}
export function runSuite(url: string, revision: string, scenarios: readonly string[], out: string): Promise<Outcome[]>;

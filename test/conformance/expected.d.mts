export type Revision = '2026-07-28' | '2025-11-25';
export const REVISIONS: readonly Revision[];
export const EXPECTED: Readonly<Record<Revision, readonly string[]>>;

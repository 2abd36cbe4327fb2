/**
 * Which build of the addon fits this process. Names only: nothing is loaded or looked up on disk here.
 */

/** Every platform that an addon is built for: a folder `npm/<name>` and a package `thirdrail-<name>` each. */
export const PLATFORMS = [
  'linux-x64-gnu',
  'linux-x64-musl',
  'linux-arm64-gnu',
  'linux-arm64-musl',
  'darwin-x64',
  'darwin-arm64',
  'win32-x64-msvc',
] as const;

export type Platform = (typeof PLATFORMS)[number];

/** The platform of this process, or null where no addon is built. */
export function hostPlatform(): Platform | null {
  const base = `${process.platform}-${process.arch}`;
  const suffix = process.platform === 'linux' ? `-${libc()}` : process.platform === 'win32' ? '-msvc' : '';
  return PLATFORMS.find((name) => name === base + suffix) ?? null;
}

/** glibc names its version in the process report; musl does not. Costs a report, so it is asked once, when loading. */
function libc(): 'gnu' | 'musl' {
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return report.header?.glibcVersionRuntime ? 'gnu' : 'musl';
}

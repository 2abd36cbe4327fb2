/** `minimum`, `maximum`, their exclusive kin, and `multipleOf` in exact decimal arithmetic. */
import { type Keywords, limit } from '../place.js';
import { fail } from '../run.js';

export const range: Keywords = (schema, { at }) => {
  const least = limit(schema, 'minimum', at, false) ?? Number.NEGATIVE_INFINITY;
  const most = limit(schema, 'maximum', at, false) ?? Number.POSITIVE_INFINITY;
  const above = limit(schema, 'exclusiveMinimum', at, false) ?? Number.NEGATIVE_INFINITY;
  const below = limit(schema, 'exclusiveMaximum', at, false) ?? Number.POSITIVE_INFINITY;
  if (![least, most, above, below].some(Number.isFinite)) return undefined;
  return (value, up, key, run) => {
    if (typeof value !== 'number' || (value >= least && value <= most && value > above && value < below)) return true;
    if (value < least) fail(run, up, key, `must be >= ${least}`);
    if (value > most) fail(run, up, key, `must be <= ${most}`);
    if (value <= above) fail(run, up, key, `must be > ${above}`);
    if (value >= below) fail(run, up, key, `must be < ${below}`);
    return false;
  };
};

export const multipleOf: Keywords = (schema, { at }) => {
  const step = limit(schema, 'multipleOf', at, false);
  if (step === undefined) return undefined;
  if (step <= 0) throw new Error(`${at}/multipleOf must be greater than zero`);
  const whole = Number.isSafeInteger(step);
  const message = `must be a multiple of ${step}`;
  return (value, up, key, run) => {
    if (typeof value !== 'number' || !Number.isFinite(value)) return true;
    const divides = whole && Number.isSafeInteger(value) ? value % step === 0 : isMultiple(value, step);
    return divides || fail(run, up, key, message);
  };
};

/** `0.0075` is 75 steps of `0.0001`, which binary floating point denies. Both are taken as the decimals they are written as. */
function isMultiple(value: number, step: number): boolean {
  const [a, b] = [decimal(value), decimal(step)];
  // a.digits * 10^a.power is a multiple of b.digits * 10^b.power: bring both to the lower power first.
  const power = Math.min(a.power, b.power);
  const scaled = b.digits * 10n ** BigInt(b.power - power);
  return (a.digits * 10n ** BigInt(a.power - power)) % scaled === 0n;
}

/** The shortest decimal that reads back as this number, as digits and a power of ten (within +-400). */
function decimal(value: number): { digits: bigint; power: number } {
  const [mantissa, exponent = '0'] = String(value).split('e') as [string, string?];
  const [whole, fraction = ''] = mantissa.split('.') as [string, string?];
  return { digits: BigInt(whole + fraction), power: Number(exponent) - fraction.length };
}

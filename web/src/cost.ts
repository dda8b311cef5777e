/**
 * What a sample costs on a device: the twin of `accelbench.cost`, which says where the formulas come from.
 * What cannot be (a utilisation beyond 1, a negative amount) throws a RangeError. All amounts are in one currency. Pure.
 */

import type { PowerKind } from "./data";

export const HOURS = 8760;
export const LADDER: readonly PowerKind[] = ["wall", "board", "tdp"];

export interface Capital { rate: number; years: number }
export interface Operation { utilisation: number; kwh: number; pue: number; support: number }
export interface Porting { cost: number; devices: number; years: number }
export interface Purchase { device: number; kw: number; host: number; network: number }
export interface Rent { hour: number }

/** The capital recovery factor, per year. */
export function recovery({ rate, years }: Capital): number {
  positive("years", years);
  atLeastZero("rate", rate);
  return rate === 0 ? 1 / years : rate / -Math.expm1(-years * Math.log1p(rate));
}

/** The cost of an hour of use. A purchase needs `capital`. */
export function perHour(bill: Purchase | Rent, operation: Operation, capital?: Capital, once?: Porting): number {
  share("utilisation", operation.utilisation);
  const ported = once ? porting(once, operation) : 0;
  if ("hour" in bill) return atLeastZero("rent", bill.hour) / operation.utilisation + ported;
  if (!capital) throw new RangeError("a purchase needs a rate of interest and the years that it is used");
  const invested = atLeastZero("device", bill.device) + shares(bill.host, bill.network);
  const yearly = invested * recovery(capital) + atLeastZero("support", operation.support);
  return yearly / (HOURS * operation.utilisation) + energy(bill.kw, operation) + ported;
}

/** The cost of a million samples at `throughput` samples per second, when an hour costs `hour`. */
export function perMillion(hour: number, throughput: number): number {
  return (hour * 1e6) / (positive("throughput", throughput) * 3600);
}

/** The price at which a device costs as much per million samples as another product does; negative: dearer even as a gift. */
export function breakEven(
  otherPerMillion: number, throughput: number, kw: number, operation: Operation, capital: Capital,
  host = 0, network = 0, once?: Porting,
): number {
  share("utilisation", operation.utilisation);
  const ported = once ? porting(once, operation) : 0;
  const hour = (otherPerMillion * positive("throughput", throughput) * 3600) / 1e6;
  const yearly = (hour - energy(kw, operation) - ported) * HOURS * operation.utilisation;
  return (yearly - atLeastZero("support", operation.support)) / recovery(capital) - shares(host, network);
}

/** The rent of an hour at which a device costs as much per million samples as another product does; negative as above. */
export function breakEvenRent(otherPerMillion: number, throughput: number, operation: Operation, once?: Porting): number {
  share("utilisation", operation.utilisation);
  const ported = once ? porting(once, operation) : 0;
  const hour = (otherPerMillion * positive("throughput", throughput) * 3600) / 1e6;
  return (hour - ported) * operation.utilisation;
}

/** How many devices serve `rate` samples per second, with a share of `headroom` left free, and `spare` ones on top. */
export function devicesNeeded(rate: number, throughput: number, headroom = 0, spare = 0): number {
  if (!(headroom >= 0 && headroom < 1)) throw new RangeError(`headroom is a share from 0 to below 1, not ${headroom}`);
  return Math.ceil(positive("rate", rate) / (positive("throughput", throughput) * (1 - headroom))) + spare;
}

/** The best kind of power that all have; null where there is none, and power cannot be compared. */
export function commonPower(known: readonly Partial<Record<PowerKind, number>>[]): PowerKind | null {
  return LADDER.find((kind) => known.every((each) => each[kind] !== undefined)) ?? null;
}

function shares(host: number, network: number): number {
  return atLeastZero("host", host) + atLeastZero("network", network);
}

function energy(kw: number, { pue, kwh }: Operation): number {
  if (!(pue >= 1)) throw new RangeError(`a power usage effectiveness is 1 or more, not ${pue}`);
  return atLeastZero("kw", kw) * pue * atLeastZero("kwh", kwh);
}

function porting(once: Porting, { utilisation }: Operation): number {
  const life = positive("devices", once.devices) * positive("years", once.years) * HOURS * utilisation;
  return atLeastZero("porting", once.cost) / life;
}

function share(name: string, value: number): number {
  if (!(value > 0 && value <= 1)) throw new RangeError(`${name} is a share above 0 and up to 1, not ${value}`);
  return value;
}

function positive(name: string, value: number): number {
  if (!(value > 0) || value === Infinity) throw new RangeError(`${name} must be above 0, not ${value}`);
  return value;
}

function atLeastZero(name: string, value: number): number {
  if (!(value >= 0) || value === Infinity) throw new RangeError(`${name} must not be below 0: ${value}`);
  return value;
}

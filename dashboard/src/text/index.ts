/** Every English text of the dashboard, for translation. */
import { activity } from "./activity";
import { common } from "./common";
import { integrations } from "./integrations";
import { phones } from "./phones";
import { workflows } from "./workflows";

export const text = { ...common, activity, integrations, phones, workflows } as const;

/** "1 device", "2 devices". */
export const plural = (n: number, one: string, many = `${one}s`): string => `${n.toLocaleString()} ${n === 1 ? one : many}`;

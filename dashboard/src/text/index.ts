/** Every English text of the dashboard, for translation. */
import { activity } from "./activity";
import { broadcasts } from "./broadcasts";
import { common } from "./common";
import { integrations } from "./integrations";
import { overview } from "./overview";
import { phones } from "./phones";
import { subscribers } from "./subscribers";
import { topics } from "./topics";
import { workflows } from "./workflows";

export const text = { ...common, activity, broadcasts, integrations, overview, phones, subscribers, topics, workflows } as const;

/** Every English text of the dashboard, for translation. */
import { activity } from "./activity";
import { audit } from "./audit";
import { broadcasts } from "./broadcasts";
import { account, entrance, members } from "./entrance";
import { common } from "./common";
import { integrations } from "./integrations";
import { overview } from "./overview";
import { journal, settings, webhooks } from "./platform";
import { phones } from "./phones";
import { subscribers } from "./subscribers";
import { topics } from "./topics";
import { workflows } from "./workflows";

export const text = { ...common, account, activity, audit, broadcasts, entrance, integrations, journal, members, overview, phones, settings, subscribers, topics, webhooks, workflows } as const;

/** The English texts of the dashboard, for translation. Those of workflows are many, and loaded with their pages alone (`workflows.ts`). */
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

export const text = { ...common, account, activity, audit, broadcasts, entrance, integrations, journal, members, overview, phones, settings, subscribers, topics, webhooks } as const;

/** The pages that the navigation and the search lead to, each with the least role that sees it. */
import {
  IconActivity, IconBroadcast, IconDeviceMobile, IconHistory, IconLayoutDashboard, IconPlugConnected, IconRoute, IconSettings, IconStack2, IconTags, IconUsers,
  IconUsersGroup, IconWebhook, type Icon,
} from "@tabler/icons-react";
import type { Role } from "../data/member";
import { text } from "../text";

export interface PageEntry {
  to: string;
  label: string;
  icon: Icon;
  role: Role;
}

const { nav } = text;
const page = (to: string, label: string, icon: Icon, role: Role = "viewer"): PageEntry => ({ to, label, icon, role });

export const GROUPS: { label: string; pages: PageEntry[] }[] = [
  { label: "", pages: [page("/overview", nav.overview, IconLayoutDashboard)] },
  {
    label: nav.groups.observe,
    pages: [page("/activity", nav.activity, IconActivity), page("/broadcasts", nav.broadcasts, IconBroadcast)],
  },
  {
    label: nav.groups.build,
    pages: [
      page("/workflows", nav.workflows, IconRoute),
      page("/integrations", nav.integrations, IconPlugConnected),
      page("/phones", nav.phones, IconDeviceMobile),
    ],
  },
  {
    label: nav.groups.people,
    pages: [page("/subscribers", nav.subscribers, IconUsers), page("/topics", nav.topics, IconTags)],
  },
  {
    label: nav.groups.platform,
    pages: [
      page("/webhooks", nav.webhooks, IconWebhook),
      page("/journal", nav.journal, IconStack2),
      page("/members", nav.members, IconUsersGroup, "admin"),
      page("/audit", nav.audit, IconHistory, "admin"),
      page("/settings", nav.settings, IconSettings),
    ],
  },
];

export const PAGES: PageEntry[] = GROUPS.flatMap((group) => group.pages);

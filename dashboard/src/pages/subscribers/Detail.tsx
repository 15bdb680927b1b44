import { ActionIcon, Menu } from "@mantine/core";
import { IconDots, IconTrash } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { useChange } from "../../data/change";
import { api, told } from "../../data/client";
import { MenuItem } from "../../parts/acts";
import { BackLink } from "../../parts/BackLink";
import { Confirm } from "../../parts/Confirm";
import { Identifier } from "../../parts/Copy";
import { Heading, Loaded } from "../../parts/states";
import { Tabbed } from "../../parts/Tabbed";
import { text } from "../../text";
import { Feed } from "../activity/Feed";
import { Devices } from "./Devices";
import { nameOf, type Subscriber } from "./List";
import { Preferences } from "./Preferences";
import { Profile } from "./Profile";
import { Schedule } from "./Schedule";
import { Topics } from "./Topics";
import { Why } from "./Why";

const words = text.subscribers;

/** One subscriber: devices first, since that is what somebody comes for. */
export function SubscriberDetail() {
  const { subscriberId } = useParams({ strict: false }) as { subscriberId: string };
  const subscriber = useQuery({
    queryKey: ["subscriber", subscriberId],
    queryFn: () => told(api.GET("/v2/subscribers/{subscriberId}", { params: { path: { subscriberId } } })),
  });
  return <Loaded query={subscriber}>{(found) => <Shown key={found._id} one={found} />}</Loaded>;
}

function Shown({ one }: { one: Subscriber }) {
  const { subscriberId } = one;
  return (
    <>
      <Heading title={nameOf(one) || subscriberId} above={<BackLink to="/subscribers" label={words.back} />}>
        <Identifier value={subscriberId} />
        <More subscriberId={subscriberId} />
      </Heading>
      <Tabbed
        tabs={[
          { value: "devices", label: words.tabs.devices, show: () => <Devices subscriberId={subscriberId} /> },
          { value: "activity", label: words.tabs.activity, show: () => <Feed fixed={{ subscriberIds: [subscriberId] }} /> },
          { value: "why", label: words.tabs.why, show: () => <Why subscriberId={subscriberId} /> },
          { value: "profile", label: words.tabs.profile, show: () => <Profile one={one} /> },
          { value: "preferences", label: words.tabs.preferences, show: () => <Preferences subscriberId={subscriberId} /> },
          { value: "schedule", label: words.tabs.schedule, show: () => <Schedule subscriberId={subscriberId} timezone={one.timezone ?? null} /> },
          { value: "topics", label: words.tabs.topics, show: () => <Topics subscriberId={subscriberId} /> },
        ]}
      />
    </>
  );
}

function More({ subscriberId }: { subscriberId: string }) {
  const navigate = useNavigate();
  const [asking, setAsking] = useState(false);
  const remove = useChange(() => told(api.DELETE("/v2/subscribers/{subscriberId}", { params: { path: { subscriberId } } })), {
    stale: ["subscribers"],
    said: words.removed,
    then: () => void navigate({ to: "/subscribers" }),
  });
  return (
    <>
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon variant="default" size="lg" aria-label={text.more}>
            <IconDots size={18} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <MenuItem needs="editor" color="red" leftSection={<IconTrash size={16} aria-hidden />} onClick={() => setAsking(true)}>
            {text.remove}
          </MenuItem>
        </Menu.Dropdown>
      </Menu>
      <Confirm
        opened={asking}
        close={() => setAsking(false)}
        title={words.removing(subscriberId)}
        loses={words.loses}
        action={text.remove}
        change={remove}
      />
    </>
  );
}

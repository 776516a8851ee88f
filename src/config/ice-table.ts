import { z } from "zod";
import { iceAnnounceSchema, icePortsSchema, iceServersSchema, iceSubnetsSchema } from "./ice-settings.ts";
import type { Config, Setting } from "./setting.ts";

type IceKey = Extract<keyof Config, `ice${string}`>;

/** The part of `SETTINGS` that says on which ways sound goes between the bot and the members. */
export const ICE_SETTINGS: { readonly [K in IceKey]: Setting<Config[K]> } = {
  iceAllowPrivate: {
    name: "ice.allow_private",
    group: "ice",
    meaning: "Whether media may go to private addresses: auto allows the bot's own subnets only.",
    unit: "auto, true or false",
    example: "auto",
    fallback: "auto",
    fallbackText: "auto",
    schema: z.enum(["auto", "true", "false"], "must be auto, true or false"),
  },
  iceServers: {
    name: "ice.servers",
    group: "ice",
    meaning:
      "STUN and TURN servers that help through NATs, besides the TURN servers that the homeserver offers. Special characters of a password are percent-encoded.",
    unit: "URIs separated by commas",
    example: "stun:stun.example.org,turn:user:password@turn.example.org:3478",
    fallback: [],
    fallbackText: "those of the homeserver",
    list: true,
    secret: true,
    schema: iceServersSchema,
  },
  iceTurnSecret: {
    name: "ice.turn_secret",
    group: "ice",
    meaning:
      "The shared secret (coturn: static-auth-secret) of the TURN servers in ice.servers that have no user and password there.",
    unit: "text without spaces",
    example: "north",
    fallback: null,
    fallbackText: "none",
    secret: true,
    schema: z.string().regex(/^[\x21-\x7e]+$/, "must be one word of printable ASCII"),
  },
  icePorts: {
    name: "ice.ports",
    group: "ice",
    meaning: "UDP ports for sound: one for each member of each channel, and some that are just being closed.",
    unit: "first-last, from 1024 to 65535",
    example: "50000-50100",
    fallback: null,
    fallbackText: "any free ports",
    schema: icePortsSchema,
  },
  iceAnnounce: {
    name: "ice.announce",
    group: "ice",
    meaning:
      "Addresses at which members reach the bot when they are not those of its interfaces: behind a router that forwards the ports, or in a container.",
    unit: "IP addresses separated by commas",
    example: "203.0.113.7",
    fallback: [],
    fallbackText: "the bot's own addresses",
    list: true,
    schema: iceAnnounceSchema,
  },
  iceLocalSubnets: {
    name: "ice.local_subnets",
    group: "ice",
    meaning: "Private subnets that count as the bot's own when ice.allow_private is auto.",
    unit: "subnets in CIDR notation, separated by commas",
    example: "10.20.0.0/16",
    fallback: [],
    fallbackText: "those of its interfaces",
    list: true,
    schema: iceSubnetsSchema,
  },
};

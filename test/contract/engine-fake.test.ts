import { FakeEngine } from "../fakes/engine.ts";
import { describeEngine } from "./engine-behaviour.ts";

describeEngine("fake", () => new FakeEngine());

import { useState } from "react";
import { control } from "./api";
import { formatDate } from "./dates";
import { Drawer } from "./Drawer";
import type { Json, Plan, Pool, TgcState } from "./types";

interface Props {
  tgc: TgcState;
  note: string;
  onTrouble: (told: string | null) => void;
  onClose: () => void;
}

const SPEEDS: [number, string][] = [
  [0.05, "3 seconds"],
  [0.2, "12 seconds"],
  [0.5, "30 seconds"],
  [2, "2 minutes"],
  [20, "20 minutes"],
];
const LATENCIES: [number, string][] = [
  [0, "none"],
  [1, "1 second"],
  [5, "5 seconds"],
  [40, "40 seconds"],
];
const REASONS: [string, string][] = [
  ["INVALID_VMS_CHANGED", "VMs changed"],
  ["INVALID_POOL_MEMBER_DELETED", "a VMstore left the pool"],
  ["INVALID_TARGET_VMSTORE_TOO_FULL", "the target is too full"],
];
const OPEN = ["AVAILABLE", "AVAILABLE_ACKED"];
const WORDS: Record<string, string> = {
  AVAILABLE: "to decide",
  AVAILABLE_ACKED: "to decide, acknowledged",
  NO_RECOMMENDATION_NEEDED: "balanced",
  NO_RECOMMENDATION_AVAILABLE: "nothing available",
};
const inWords = (state: string) => WORDS[state] ?? state.toLowerCase().replaceAll("_", " ");

export function Tgc({ tgc, note, onTrouble, onClose }: Props) {
  const apply = (body: Json) => void control(body).then(onTrouble);
  return (
    <Drawer title="Tintri Global Center" className="tgc" onClose={onClose}>
      <div className="scroll">
        <p className="note">A simulated one: what happens here, the app has to notice. {note}</p>
        <div className="service">
          <span className={tgc.is_serving ? "state good" : "state bad"}>{tgc.is_serving ? "up" : "down"}</span>
          <span>
            {tgc.sessions === 1 ? "1 session" : `${tgc.sessions} sessions`} · {tgc.url}
          </span>
          <button type="button" onClick={() => apply({ control: "service", state: tgc.is_serving ? "down" : "up" })}>
            {tgc.is_serving ? "Take it down" : "Bring it up"}
          </button>
          <button type="button" onClick={() => apply({ control: "expire_sessions" })}>
            End its sessions
          </button>
        </div>
        <div className="pace">
          <Choice
            name="A move takes about"
            value={tgc.move_minutes}
            choices={SPEEDS}
            unit="minutes"
            onChange={(move_minutes) => apply({ control: "speed", move_minutes })}
          />
          <Choice
            name="Answers come late by"
            value={tgc.latency_s}
            choices={LATENCIES}
            unit="seconds"
            onChange={(seconds) => apply({ control: "latency", seconds })}
          />
        </div>
        {tgc.pools.map((pool) => (
          <PoolControls key={pool.id} pool={pool} apply={apply} />
        ))}
      </div>
    </Drawer>
  );
}

interface ChoiceProps {
  name: string;
  value: number;
  choices: [number, string][];
  unit: string;
  onChange: (value: number) => void;
}

function Choice({ name, value, choices, unit, onChange }: ChoiceProps) {
  const isListed = choices.some(([one]) => one === value);
  return (
    <label>
      <span>{name}</span>
      <select value={value} onChange={({ target }) => onChange(Number(target.value))}>
        {!isListed && <option value={value}>{`${value} ${unit}`}</option>}
        {choices.map(([one, words]) => (
          <option key={one} value={one}>
            {words}
          </option>
        ))}
      </select>
    </label>
  );
}

function PoolControls({ pool, apply }: { pool: Pool; apply: (body: Json) => void }) {
  const [moves, setMoves] = useState(4);
  const [waves, setWaves] = useState(2);
  const [losing, setLosing] = useState(0);
  const [reason, setReason] = useState(REASONS[0]![0]);
  const isOpen = OPEN.includes(pool.state);
  const runs = pool.plans.some((plan) => plan.state === "ACCEPTED" && !plan.execution?.startsWith("COMPLETED"));
  const of = (name: string, more: Json = {}) => apply({ control: name, pool: pool.id, ...more });
  return (
    <details className="pool">
      <summary>
        <strong>{pool.name}</strong>
        <span className={isOpen ? "state warn" : "state"}>{inWords(pool.state)}</span>
        {pool.reason && <small>{inWords(pool.reason)}</small>}
      </summary>
      <p className="note">
        {pool.vmstores.join(", ")}
        {isOpen && pool.expires && ` · expires ${formatDate(Date.parse(pool.expires) / 1000, "{date_short_pretty} at {time}")}`}
      </p>
      {pool.plans.map((plan) => (
        <Moves key={plan.id} plan={plan} onFail={(vm) => of("fail_move", { vm })} />
      ))}
      <div className="row">
        <button type="button" disabled={!isOpen} onClick={() => of("accept")}>
          Accept in the GUI
        </button>
        <button type="button" disabled={!runs} onClick={() => of("cancel")}>
          Cancel in the GUI
        </button>
        <button type="button" disabled={!isOpen} onClick={() => of("expire")}>
          Expire
        </button>
        <button type="button" disabled={!isOpen} onClick={() => of("change_moves")}>
          Swap its VMs
        </button>
      </div>
      <div className="row">
        <label>
          <span>Reason</span>
          <select value={reason} onChange={({ target }) => setReason(target.value)}>
            {REASONS.map(([one, words]) => (
              <option key={one} value={one}>
                {words}
              </option>
            ))}
          </select>
        </label>
        <button type="button" disabled={!isOpen} onClick={() => of("invalidate", { reason })}>
          Invalidate
        </button>
      </div>
      <form
        className="row"
        onSubmit={(event) => {
          event.preventDefault();
          of("new_recommendation", { moves, waves, lose_replication: losing });
        }}
      >
        <Count name="Moves" value={moves} min={1} max={500} onChange={setMoves} />
        <Count name="Waves" value={waves} min={1} max={50} onChange={setWaves} />
        <Count name="Lose replication" value={losing} min={0} max={500} onChange={setLosing} />
        <button type="submit" className="primary">
          New recommendation
        </button>
      </form>
    </details>
  );
}

interface CountProps {
  name: string;
  value: number;
  min: number;
  max: number;
  onChange: (value: number) => void;
}

function Count({ name, value, min, max, onChange }: CountProps) {
  return (
    <label className="count">
      <span>{name}</span>
      <input type="number" required value={value} min={min} max={max} onChange={({ target }) => onChange(target.valueAsNumber)} />
    </label>
  );
}

const SHOWN = 20;

function Moves({ plan, onFail }: { plan: Plan; onFail: (vm: string) => void }) {
  const canFail = OPEN.includes(plan.state) || plan.execution !== null;
  return (
    <table>
      <caption>
        {plan.is_current ? "Now" : "Still running"}: {inWords(plan.execution ?? plan.state)}
      </caption>
      <tbody>
        {plan.moves.slice(0, SHOWN).map((move) => (
          <tr key={move.vm.id}>
            <th scope="row">{move.vm.name}</th>
            <td>{move.way}</td>
            <td>
              {plan.execution !== null && `${move.percent} % `}
              {move.fails ? (
                <span className="state bad">fails</span>
              ) : (
                canFail &&
                move.percent < 100 && (
                  <button type="button" className="link" aria-label={`Let ${move.vm.name} fail`} onClick={() => onFail(move.vm.id)}>
                    let it fail
                  </button>
                )
              )}
            </td>
          </tr>
        ))}
      </tbody>
      {plan.moves.length > SHOWN && (
        <tfoot>
          <tr>
            <td colSpan={3}>and {plan.moves.length - SHOWN} more</td>
          </tr>
        </tfoot>
      )}
    </table>
  );
}

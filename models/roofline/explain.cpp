#include <algorithm>
#include <cmath>

#include "tokenomics/roofline/step_tables.hpp"

namespace tokenomics {
namespace {

/// Operators of a step with how often each runs and how much of it shows, in the order they were met.
class Collector {
 public:
  explicit Collector(const LayerOperators& operators) : operators_(operators) {}

  void add(const Operator& op, double calls, double seconds_each, double light_each, double exposed_each, bool per_step) {
    const auto same = std::find_if(list_.begin(), list_.end(),
                                   [&](const OperatorTime& o) { return o.name == op.name && o.per_step == per_step; });
    OperatorTime& total = same == list_.end() ? fresh(op, per_step) : *same;
    total.calls += calls * op.work.kernels;
    total.flops += Flops{calls * op.work.flops};
    total.hbm_bytes += Bytes{calls * op.work.bytes};
    total.link_bytes += Bytes{calls * op.link_bytes};
    exposed_[static_cast<std::size_t>(&total - list_.data())] += calls * exposed_each;
    total.time += Seconds{calls * seconds_each};
    total.speed_of_light += Seconds{calls * light_each};
  }

  std::vector<OperatorTime> finish() {
    for (std::size_t i = 0; i < list_.size(); ++i) {
      const double time = list_[i].time.value();
      list_[i].exposed_share = time > 0 ? std::clamp(exposed_[i] / time, 0.0, 1.0) : 1.0;
    }
    return std::move(list_);
  }

 private:
  OperatorTime& fresh(const Operator& op, bool per_step) {
    OperatorTime o;
    o.name = std::string(op.name);
    o.part = op.part;
    o.per_step = per_step;
    o.bound = bound_of(op);
    o.source =
        op.network ? "calibration " + operators_.calibration().name + ", links" : operators_.timer().source(op.work.family);
    exposed_.push_back(0);
    list_.push_back(std::move(o));
    return list_.back();
  }

  std::string bound_of(const Operator& op) const {
    if (op.network) return op.link_bytes > 0 ? "network" : "latency";
    const KernelParts t = operators_.timer().parts(op.work);
    if (t.launch_s > std::max(t.compute_s, t.memory_s)) return "latency";
    return t.compute_s > t.memory_s ? "compute" : "hbm";
  }

  const LayerOperators& operators_;
  std::vector<OperatorTime> list_;
  std::vector<double> exposed_;
};

/// An operator with its time on all SMs and on the schedule's share of them.
struct Timed {
  Operator op;
  double alone_s = 0;
  double slowed_s = 0;
};

/// One micro-batch's operators of one layer, attention core included.
struct LayerWork {
  std::vector<Timed> list;
  PartTimes parts;

  void add(const Operator& op, double alone_s, double slowed_s) {
    list.push_back({op, alone_s, slowed_s});
    parts.alone[static_cast<std::size_t>(op.part)] += alone_s;
    parts.slowed[static_cast<std::size_t>(op.part)] += slowed_s;
  }
};

/// Share of each part's time that shows, for a layer laid out so; the layer's time with it.
struct Exposure {
  std::array<double, kLayerParts> shown{};  ///< summed over stages, in units of the part's runs
  double layer_s = 0;
};

bool lane_transfers(const LayerLayout::Lane& lane) { return lane.has(LayerPart::Dispatch) || lane.has(LayerPart::Combine); }

/// Computing lanes show in full up to the slowest of them; a transfer shows where it outlasts them.
Exposure expose(const LayerLayout& layout, const PartTimes& parts, double hold_s) {
  Exposure e;
  for (const auto& stage : layout.stages) {
    double slowest = 0;
    double computing = 0;
    for (const auto& lane : stage.lanes) {
      const double t = lane_time(lane, parts, hold_s);
      slowest = std::max(slowest, t);
      if (stage.lanes.size() == 1 || !lane_transfers(lane)) computing = std::max(computing, t);
    }
    e.layer_s += stage.times * slowest;
    for (const auto& lane : stage.lanes) {
      const double t = lane_time(lane, parts, hold_s);
      const bool hidden = stage.lanes.size() > 1 && lane_transfers(lane);
      const double share = !hidden ? (t >= computing ? 1.0 : 0.0) : (t > 0 ? std::max(0.0, slowest - computing) / t : 0.0);
      for (std::size_t i = 0; i < kLayerParts; ++i) e.shown[i] += stage.times * lane.count[i] * share;
    }
  }
  return e;
}

/// Layers as a calibration sees them, operator by operator, at exactly this load (no tables in tokens).
class Evaluation {
 public:
  Evaluation(const LayerOperators& operators, const DecodeCores& cores) : operators_(operators), cores_(cores) {}

  [[nodiscard]] LayerWork layer(const LayerClass& c, const RankLoad& load, const OverlapSchedule& schedule) const {
    LayerWork work;
    const double micro_batches = schedule.micro_batches;
    const auto add_all = [&](const std::vector<Operator>& list) {
      for (const Operator& op : list) work.add(op, operators_.seconds(op), operators_.seconds(op, schedule.compute_share));
    };
    add_all(operators_.rank_operators(c.group, load.phase, std::max(1.0, load.rank_tokens / micro_batches)));
    if (c.has_experts()) add_all(operators_.expert_operators(std::max(1.0, load.group_tokens / micro_batches)));
    add_decode_core(work, c.windowed(), load, micro_batches, schedule.compute_share);
    if (load.phase != Phase::Decode) add_prompt_core(work, c.windowed(), load, micro_batches, schedule.compute_share);
    return work;
  }

 private:
  void add_decode_core(LayerWork& work, bool windowed, const RankLoad& load, double micro_batches, double share) const {
    if (load.sequences <= 0) return;
    const double n = load.sequences / micro_batches;
    const auto add = [&](std::string_view name, const CoreTable& core, double context) {
      const double seconds = core.at(n, context, 0).value;
      work.add({name, LayerPart::AttentionCore, core.cost().work(n, context), false, 0, 0}, seconds, seconds / share);
    };
    const double full = load.context / micro_batches;
    if (cores_.indexer()) add("indexer_scores", *cores_.indexer(), full);
    add("attention_core", cores_.core(), windowed || cores_.indexer() ? load.capped / micro_batches : full);
  }

  void add_prompt_core(LayerWork& work, bool windowed, const RankLoad& load, double micro_batches, double share) const {
    const PromptWork prompt = prompt_work(load, micro_batches);
    const auto add = [&](Operator op) {
      const double seconds = operators_.seconds(op);
      if (load.phase == Phase::Mixed && op.name == "attention_core") op.name = "attention_core_prompt";
      work.add(op, seconds, seconds / share);
    };
    for (const Operator& op : operators_.prompt_core(windowed, prompt)) add(op);
    if (load.phase != Phase::Mixed) return;
    for (const Operator& op : operators_.mixed_extras(load.decode_tokens / micro_batches, prompt.tokens)) add(op);
  }

  const LayerOperators& operators_;
  const DecodeCores& cores_;
};

/// Puts a step together from its operators, at the calibration and at the speed of light side by side.
class Explainer {
 public:
  Explainer(const LayerOperators& real, const LayerOperators& light) : real_(real), light_(light), collector_(real) {}

  /// Layers of one class under a schedule, from their operators at the calibration and at the speed of light.
  void layers(const LayerOperators& real, const LayerOperators& light, const LayerClass& c, const RankLoad& load,
              const OverlapSchedule& schedule, int queries, bool per_step) {
    const InstancePlan& plan = real.plan();
    const LayerWork at_real = Evaluation(real, DecodeCores(plan, real.timer(), queries)).layer(c, load, schedule);
    const LayerWork at_light = Evaluation(light, DecodeCores(plan, light.timer(), queries)).layer(c, load, schedule);
    const LayerLayout layout = layout_of(schedule, c.has_experts());
    LayerLayout all_sms = layout;
    for (auto& stage : all_sms.stages) {
      for (auto& lane : stage.lanes) lane.slowed = false;
    }
    const Exposure shown = expose(layout, at_real.parts, real_.sm_hold_s());
    light_total_ += c.count * expose(all_sms, at_light.parts, 0).layer_s;
    add_time(c.count * shown.layer_s, per_step);
    double explained = 0;
    for (std::size_t i = 0; i < at_real.list.size(); ++i) {
      explained += add_operator(at_real.list[i], at_light.list[i].alone_s, layout, shown, c.count, per_step);
    }
    // Lanes that transfers held up last longer than their operators.
    const double held = c.count * shown.layer_s - explained;
    if (held > 1e-12 * total_) add_row({"transfer_sm_hold", LayerPart::Dispatch, {}, true, 0, held}, 1, held, per_step);
  }

  /// Kernels or a transfer outside the layers.
  void single(const Operator& op, const Operator& at_light, double times) {
    const double seconds = real_.seconds(op);
    const double light_s = light_.seconds(at_light);
    collector_.add(op, times, seconds, light_s, seconds, true);
    add_time(times * seconds, true);
    light_total_ += times * light_s;
  }

  void head(std::string_view name, double tokens, double times) {
    const double rows = std::max(1.0, tokens);
    single(real_.head(name, rows), light_.head(name, rows), times);
  }

  /// A fixed time of no kernel.
  void fixed(std::string_view name, double seconds, double times, bool per_step) {
    if (seconds * times <= 0) return;
    add_row({name, LayerPart::AttentionIn, {}, true, 0, seconds}, times, seconds, per_step);
    add_time(times * seconds, per_step);
  }

  [[nodiscard]] double total_s() const { return total_; }
  [[nodiscard]] double layers_s() const { return layers_; }
  [[nodiscard]] double light_s() const { return light_total_; }
  std::vector<OperatorTime> finish() { return collector_.finish(); }

 private:
  void add_time(double seconds, bool per_step) {
    total_ += seconds;
    if (!per_step) layers_ += seconds;
  }

  void add_row(const Operator& op, double times, double seconds, bool per_step) {
    collector_.add(op, times, seconds, 0, seconds, per_step);
  }

  /// Returns the seconds of it that show.
  double add_operator(const Timed& timed, double light_s, const LayerLayout& layout, const Exposure& shown,
                      double layer_count, bool per_step) {
    const auto part = static_cast<std::size_t>(timed.op.part);
    double runs = 0;
    double seconds = 0;
    for (const auto& stage : layout.stages) {
      for (const auto& lane : stage.lanes) {
        runs += stage.times * lane.count[part];
        seconds += stage.times * lane.count[part] * (lane.slowed ? timed.slowed_s : timed.alone_s);
      }
    }
    if (runs <= 0) return 0;
    const double showing = seconds / runs * shown.shown[part] / runs;
    collector_.add(timed.op, layer_count * runs, seconds / runs, light_s, showing, per_step);
    return layer_count * runs * showing;
  }

  const LayerOperators& real_;
  const LayerOperators& light_;
  Collector collector_;
  double total_ = 0;
  double layers_ = 0;
  double light_total_ = 0;
};

/// The MTP modules: the first over all tokens of the step, later ones over one token a sequence.
void add_drafts(Explainer& out, const LayerOperators& real, const LayerOperators& light, const RankLoad& load,
                double overhead_s) {
  const InstancePlan& plan = real.plan();
  if (plan.draft_tokens == 0) return;
  const int drafts = load.sequences > 0 ? plan.draft_tokens : 1;
  out.fixed("mtp_draft_overhead", plan.draft_module.overhead_us * 1e-6, drafts, true);
  const OverlapSchedule none;
  const double first = std::max(1.0, load.rank_tokens);
  LayerClass module = draft_layer(plan.network);
  out.layers(real, light, module, load, none, 1 + plan.draft_tokens, true);
  out.single(real.draft_projection(first), light.draft_projection(first), 1);
  out.fixed("mtp_layer_overhead", overhead_s, drafts, true);
  if (load.sequences <= 0) return;
  out.head("mtp_head", load.sequences, plan.draft_tokens);
  if (plan.draft_tokens == 1) return;
  const RankLoad later = later_draft_load(load, plan.draft_tokens);
  const double tokens = std::max(1.0, later.rank_tokens);
  module.count = plan.draft_tokens - 1.0;
  out.layers(real, light, module, later, none, 1, true);
  out.single(real.draft_projection(tokens), light.draft_projection(tokens), module.count);
}

}  // namespace

StepExplanation StepModel::explain(const DecodeLoad& decode, const PrefillLoad& prefill) const {
  const Tables& t = *tables_;
  const RankLoad load = rank_load(t.plan, t.balance, decode, prefill);
  const Calibration light_calibration = speed_of_light();
  const LayerOperators light(t.plan, light_calibration);
  const OverlapSchedule& schedule = t.schedule(load.phase);
  const double overhead_s = t.calibration.layer_overhead_us.value * 1e-6;

  Explainer out(t.operators, light);
  for (const LayerClass& c : main_layers(t.plan.network)) {
    out.layers(t.operators, light, c, load, schedule, 1 + t.plan.draft_tokens, false);
  }
  out.fixed("layer_overhead", overhead_s, t.plan.network.layer_count(), false);
  add_drafts(out, t.draft_operators.get(), DraftOperators(light).get(), load, overhead_s);
  if (load.head_tokens > 0) out.head("lm_head", load.head_tokens, 1);
  if (t.plan.parallelism.pp > 1) {
    const double tokens = std::max(1.0, load.rank_tokens);
    out.single(t.operators.pipeline_transfer(tokens), light.pipeline_transfer(tokens), 1);
  }
  if (load.sequences > 0) {
    const double alone_s = out.total_s();
    out.fixed("host_gap", with_host(t.plan.launch, {alone_s}, t.host_gap_s).value - alone_s, 1, true);
  }
  if (load.phase != Phase::Decode) out.fixed("prefill_host_floor", t.prefill_floor_s - out.total_s(), 1, true);

  StepExplanation result{out.finish(), Seconds{out.total_s()}, Seconds{out.layers_s()}, Seconds{out.light_s()}, 0, 1};
  if (const ExpertLoad* experts = t.operators.experts()) {
    const ExpertLoad::Rank rank = experts->at(std::max(1.0, load.group_tokens / schedule.micro_batches));
    result.distinct_experts = rank.touched_mean;
    result.balancedness = rank.tokens_mean / rank.tokens_max;
  }
  return result;
}

}  // namespace tokenomics

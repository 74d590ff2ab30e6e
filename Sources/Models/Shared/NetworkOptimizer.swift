// Optimiser, learning rate, clipping and averaged weights of one network.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// Hyper-parameters of optimisation that all recipes share.
///
/// Source: hmar's published recipe: AdamW β = (0.9, 0.95), clipping at 2, warm-up, hold, linear fall.
public struct OptimizerConfiguration: Sendable, Equatable, Codable {
    /// Peak learning rate.
    public var learningRate: Float
    /// Optimiser steps in all, at most.
    public var steps: Int
    /// Minutes after which the run ends if its steps are not made by then; the rate falls with the
    /// time used. Such a run depends on the machine's speed and cannot be repeated bit for bit.
    public var maxMinutes: Double?
    /// Steps of linear warm-up.
    public var warmUpSteps: Int
    /// Last rate as a share of the peak, `wpe`.
    public var floor: Float
    /// How the rate falls after it was held.
    public var decay: LearningRateSchedule.Decay = .linear
    /// Share of the steps after warm-up for which the peak is held.
    public var hold: Float = 0.05
    public var weightDecay: Float
    public var beta1: Float
    public var beta2: Float
    /// Largest global gradient norm.
    public var clipNorm: Float
    /// Decay of the averaged weights that are exported.
    public var averageDecay: Float

    public init(
        learningRate: Float = 3e-4, steps: Int = 10_000, warmUpSteps: Int = 100,
        floor: Float = 0.1, weightDecay: Float = 0.05, beta1: Float = 0.9, beta2: Float = 0.95,
        clipNorm: Float = 2, averageDecay: Float = 0.999, maxMinutes: Double? = nil
    ) {
        self.learningRate = learningRate
        self.steps = steps
        self.warmUpSteps = warmUpSteps
        self.floor = floor
        self.weightDecay = weightDecay
        self.beta1 = beta1
        self.beta2 = beta2
        self.clipNorm = clipNorm
        self.averageDecay = averageDecay
        self.maxMinutes = maxMinutes
    }

    func validate() throws(ConfigurationError) {
        try ConfigurationError.require(
            learningRate > 0 && learningRate.isFinite, "learning_rate", "\(learningRate)",
            "above 0")
        try ConfigurationError.require(
            steps > 0 && steps < 1 << 30, "steps", "\(steps)", "1 or more")
        try ConfigurationError.require(
            warmUpSteps >= 0 && warmUpSteps <= steps, "warm_up_steps", "\(warmUpSteps)",
            "0 to the number of steps")
        try ConfigurationError.require(
            averageDecay >= 0 && averageDecay < 1, "ema_decay", "\(averageDecay)",
            "0 to below 1")
        try ConfigurationError.require(clipNorm > 0, "clip_norm", "\(clipNorm)", "above 0")
        try ConfigurationError.require(
            maxMinutes.map { $0 > 0 && $0.isFinite } ?? true, "max_minutes",
            "\(maxMinutes ?? 0)", "above 0")
    }
}

/// AdamW with its schedule and the moving average of the weights.
struct NetworkOptimizer {
    let parameters: [Parameter]
    let configuration: OptimizerConfiguration
    private let parallel: DataParallel
    private let schedule: LearningRateSchedule
    private var optimizer: AdamW
    private var average: ExponentialMovingAverage
    private var clock = TrainingClock()

    /// Names whose tensors are not decayed although they have two dimensions or more.
    private static let undecayed = [
        "pos_1LC", "pos_start", "lvl_embed", "scale_mul", "ada_gss", "quantize.embedding",
    ]

    /// Takes trainable parameters; their values are copied, because steps write in place and loaded
    /// values may be a mapped file.
    ///
    /// - Parameter parallel: processes whose gradients are averaged.
    init(
        _ parameters: [Parameter], configuration: OptimizerConfiguration,
        parallel: DataParallel = .single
    ) {
        self.parameters = parameters
        self.configuration = configuration
        self.parallel = parallel
        for parameter in parameters {
            parameter.value = parameter.value.copied()
            parameter.isTrainable = true
        }
        // Equal already where all processes drew them from one seed.
        if !parallel.isAlone { parallel.group.broadcast(parameters.map(\.value)) }
        let decayed = parameters.filter { Self.isDecayed($0) }
        let plain = parameters.filter { !Self.isDecayed($0) }
        optimizer = AdamW(
            groups: [
                ParameterGroup(decayed, usesWeightDecay: true),
                ParameterGroup(plain, usesWeightDecay: false),
            ], beta1: configuration.beta1, beta2: configuration.beta2, epsilon: 1e-8)
        average = ExponentialMovingAverage(parameters, decay: configuration.averageDecay)
        schedule = LearningRateSchedule(
            peak: configuration.learningRate,
            warmUpSteps: configuration.warmUpSteps, totalSteps: configuration.steps,
            hold: configuration.hold, floor: configuration.floor, decay: configuration.decay)
    }

    private static func isDecayed(_ parameter: Parameter) -> Bool {
        parameter.shape.count >= 2 && !undecayed.contains { parameter.name.contains($0) }
    }

    /// The share of the run that is over before a step, by steps or by time, 0…1.
    func progress(step: Int) -> Double {
        let byTime = configuration.maxMinutes.map { clock.seconds / (60 * $0) } ?? 0
        return min(1, max(byTime, Double(step) / Double(configuration.steps)))
    }

    /// Whether all steps are made or the time is used up.
    func isFinished(step: Int) -> Bool { progress(step: step) >= 1 }

    /// One step down the gradients of a loss.
    ///
    /// The norm of the gradients is the only number read back from the device: a loss that is not
    /// finite has no finite gradients.
    /// - Throws: `TrainingError.nonFiniteLoss` before anything is changed.
    mutating func update(loss: Tensor, step: Int) throws -> [TrainingMetric] {
        clock.start()
        let (gradients, agreement) = parallel.averaged(
            loss.backward(), of: parameters, seconds: clock.ownSeconds)
        let norm = globalNorm(gradients, of: parameters)
        if let seconds = parallel.conclude(agreement) { clock.agree(on: seconds) }
        try loss.device.throwPendingError()
        guard norm.isFinite else { throw TrainingError.nonFiniteLoss(step: step) }
        let share = configuration.maxMinutes.map { Float(clock.seconds / (60 * $0)) } ?? 0
        let rate = schedule.rate(step: step, share: share)
        optimizer.step(
            gradients, learningRate: rate, weightDecay: configuration.weightDecay,
            gradientScale: clippingScale(norm: norm, maxNorm: Double(configuration.clipNorm)))
        average.update()
        return [
            TrainingMetric("gradient_norm", norm), TrainingMetric("learning_rate", Double(rate)),
        ]
    }

    /// Seconds that shall not count for `maxMinutes`.
    mutating func leaveOut(seconds: Double) { clock.leaveOut(seconds) }

    /// Begins the averages of some parameters anew at their present values.
    mutating func restartAverages(of isChosen: (Parameter) -> Bool) {
        average.restart(of: isChosen)
    }

    /// The averaged weights by name.
    var averages: [String: Tensor] { average.values }

    /// Runs `body` with the averaged weights in the network.
    func withAverages<R>(_ body: () throws -> R) rethrows -> R {
        try average.withAverages(body)
    }

    /// Weights, moments, averages and counters.
    func state(step: Int) -> TrainingState {
        var state = TrainingState()
        for parameter in parameters { state.tensors["weight.\(parameter.name)"] = parameter.value }
        for (name, value) in optimizer.state { state.tensors["optimizer.\(name)"] = value }
        for (name, value) in average.values { state.tensors["average.\(name)"] = value }
        state.values["step"] = "\(step)"
        state.values["seconds"] = String(format: "%.1f", clock.seconds)
        state.values["optimizer_steps"] = "\(optimizer.stepCount)"
        state.values["average_updates"] = "\(average.updateCount)"
        return state
    }

    /// Takes back what ``state(step:)`` gave, and returns the step.
    mutating func restore(_ state: TrainingState) throws -> Int {
        let step = try state.integer("step")
        let optimizerSteps = try state.integer("optimizer_steps")
        let averageUpdates = try state.integer("average_updates")
        clock = TrainingClock(used: state.values["seconds"].flatMap { Double($0) } ?? 0)
        for parameter in parameters {
            for kind in ["weight", "average"] {
                let name = "\(kind).\(parameter.name)"
                guard let found = state.tensors[name] else {
                    throw TrainingError.incompleteState(missing: name)
                }
                guard found.shape == parameter.shape else {
                    throw TrainingError.otherRecipe(
                        key: "shape of \(parameter.name)", saved: "\(found.shape)",
                        wanted: "\(parameter.shape)")
                }
            }
        }
        func part(_ prefix: String) -> [String: Tensor] {
            Dictionary(
                uniqueKeysWithValues: state.tensors.compactMap { name, value in
                    name.hasPrefix(prefix) ? (String(name.dropFirst(prefix.count)), value) : nil
                })
        }
        for parameter in parameters {
            if let value = state.tensors["weight.\(parameter.name)"] {
                parameter.value = value.copied()
            }
        }
        optimizer.restore(part("optimizer."), stepCount: optimizerSteps)
        average.restore(part("average."), updateCount: averageUpdates)
        return step
    }
}

/// Seconds that a training has used, over all its instalments.
struct TrainingClock {
    private var used: Double
    private var began: Double?
    private var agreed: Double?

    init(used: Double = 0) { self.used = used }

    /// Begins to count; further calls change nothing.
    mutating func start() {
        if began == nil { began = ProcessInfo.processInfo.systemUptime }
    }

    /// Takes seconds out that were counted.
    mutating func leaveOut(_ seconds: Double) {
        if began != nil { used -= seconds }
    }

    /// Seconds by this process's own clock.
    var ownSeconds: Double {
        used + (began.map { ProcessInfo.processInfo.systemUptime - $0 } ?? 0)
    }

    /// The seconds that decide what happens: those last agreed on where several processes train.
    var seconds: Double { agreed ?? ownSeconds }

    /// Takes the time that all processes go by until the next step.
    mutating func agree(on seconds: Double) { agreed = seconds }
}

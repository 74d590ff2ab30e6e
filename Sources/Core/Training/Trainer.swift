// The training loop: steps, metrics, checkpoints. SPDX-License-Identifier: Apache-2.0
import Foundation

/// Drives a ``TrainingRun`` to its end: logs metrics, saves checkpoints, stops when asked.
public struct Trainer {
    /// When to log, evaluate and save.
    public struct Options: Sendable {
        /// Steps between metric lines.
        public var logEvery: Int
        /// Steps between evaluations; 0 = only at the end.
        public var evaluateEvery: Int
        /// Seconds between checkpoints.
        public var checkpointSeconds: Double
        /// Stop after this step even if the recipe asks for more; for runs in instalments.
        public var stopAfter: Int?
        /// Steps between sample pictures; 0 = none.
        public var sampleEvery: Int

        public init(
            logEvery: Int = 20, evaluateEvery: Int = 0, checkpointSeconds: Double = 60,
            stopAfter: Int? = nil, sampleEvery: Int = 0
        ) {
            self.logEvery = logEvery
            self.evaluateEvery = evaluateEvery
            self.checkpointSeconds = checkpointSeconds
            self.stopAfter = stopAfter
            self.sampleEvery = sampleEvery
        }
    }

    /// What happens on the way.
    public enum Event: Sendable {
        case checkpoint(step: Int)
        case paused(step: Int)
        case resumed
    }

    private let options: Options
    private let parallel: DataParallel
    private let save: (TrainingState) throws -> Void
    private let log: (TrainingRecord) throws -> Void
    private let samples: (TrainingPictures, _ step: Int) throws -> String?
    private let commands: () -> [TrainingCommand]
    private let notify: (Event) -> Void

    /// - Parameters:
    ///   - parallel: the processes that train together; only the first evaluates, saves and logs.
    ///   - save: writes a checkpoint, atomically.
    ///   - log: receives means over the steps since the last line.
    ///   - samples: writes sample pictures and says where, for the log.
    ///   - commands: what was asked for since the last call; called before every step, and ten times a
    ///     second while the training is held.
    public init(
        options: Options, parallel: DataParallel = .single,
        save: @escaping (TrainingState) throws -> Void,
        log: @escaping (TrainingRecord) throws -> Void,
        samples: @escaping (TrainingPictures, _ step: Int) throws -> String? = { _, _ in nil },
        commands: @escaping () -> [TrainingCommand] = { [] },
        notify: @escaping (Event) -> Void = { _ in }
    ) {
        self.options = options
        self.parallel = parallel
        let isFirst = parallel.rank.rank == 0
        self.save = isFirst ? save : { _ in }
        self.log = isFirst ? log : { _ in }
        self.samples = samples
        // The others wait for the first in the next average of gradients.
        self.commands = isFirst ? commands : { [] }
        self.notify = isFirst ? notify : { _ in }
    }

    /// Runs to the end of the recipe, or until cancelled.
    ///
    /// A checkpoint is saved at the end, on cancellation or ``TrainingCommand/stop``, and every
    /// `checkpointSeconds`; after an error the last one stays.
    /// - Throws: what the run throws; `CancellationError` after the last checkpoint was saved.
    public func train(
        _ run: any TrainingRun, cancellation: Cancellation,
        progress: (_ step: Int, _ total: Int) -> Void = { _, _ in }
    ) throws {
        let clock = PausableClock()
        var lastSave = Self.now
        var means = MetricMeans()
        let end = min(run.totalSteps, options.stopAfter ?? .max)
        func checkpoint() throws {
            try save(run.state())
            lastSave = Self.now
            notify(.checkpoint(step: run.step))
        }
        while run.step < end && !run.isFinished {
            let wanted = try obey(run, clock: clock, cancellation: cancellation)
            if cancellation.isCancelled || parallel.agreed.isCancelled {
                try checkpoint()
                throw CancellationError()
            }
            if wanted.contains(.checkpoint) { try checkpoint() }
            if wanted.contains(.sample) { try sample(run, clock, cancellation) }
            means.add(try run.advance())
            let isLast = run.step == end || run.isFinished
            if run.step % options.logEvery == 0 || isLast {
                try log(
                    TrainingRecord(
                        kind: .training, step: run.step, seconds: clock.seconds,
                        values: parallel.averaged(means.take())))
            }
            if options.evaluateEvery > 0, run.step % options.evaluateEvery == 0, !isLast {
                try evaluate(run, clock, cancellation)
            }
            if options.sampleEvery > 0, run.step % options.sampleEvery == 0, !isLast {
                try sample(run, clock, cancellation)
            }
            if Self.now - lastSave >= options.checkpointSeconds { try checkpoint() }
            progress(run.step, end)
        }
        try checkpoint()
        try evaluate(run, clock, cancellation)
        if options.sampleEvery > 0 { try sample(run, clock, cancellation) }
    }

    private static var now: Double { ProcessInfo.processInfo.systemUptime }

    /// Takes the commands and holds while a pause is asked for.
    ///
    /// - Returns: what else was asked for, each once.
    private func obey(
        _ run: any TrainingRun, clock: PausableClock, cancellation: Cancellation
    ) throws -> Set<TrainingCommand> {
        var wanted: Set<TrainingCommand> = []
        var isHeld = false
        let began = Self.now
        repeat {
            for command in commands() {
                switch command {
                case .pause:
                    if !isHeld { notify(.paused(step: run.step)) }
                    isHeld = true
                case .resume: isHeld = false
                case .checkpoint where isHeld:
                    // A held training still saves and shows what it has.
                    try save(run.state())
                    notify(.checkpoint(step: run.step))
                case .sample where isHeld: try sample(run, clock, cancellation)
                case .checkpoint, .sample: wanted.insert(command)
                case .stop:
                    // Several processes stop after the step in which they agree on it.
                    parallel.wish.cancel()
                    isHeld = false
                }
            }
            if isHeld { Thread.sleep(forTimeInterval: 0.1) }
        } while isHeld && !cancellation.isCancelled && !parallel.wish.isCancelled
        let held = Self.now - began
        if held >= 0.1 {
            clock.leaveOut(held)
            run.leaveOut(seconds: held)
            notify(.resumed)
        }
        return wanted
    }

    private func evaluate(
        _ run: any TrainingRun, _ clock: PausableClock, _ cancellation: Cancellation
    ) throws {
        guard parallel.rank.rank == 0 else { return }
        let metrics = try withoutGradients { try run.evaluate(cancellation: cancellation) }
        guard !metrics.isEmpty else { return }
        try log(
            TrainingRecord(
                kind: .evaluation, step: run.step, seconds: clock.seconds, values: metrics))
    }

    private func sample(
        _ run: any TrainingRun, _ clock: PausableClock, _ cancellation: Cancellation
    ) throws {
        guard parallel.rank.rank == 0 else { return }
        let pictures = try withoutGradients { try run.samplePictures(cancellation: cancellation) }
        guard let pictures, let file = try samples(pictures, run.step) else { return }
        try log(
            TrainingRecord(kind: .sample, step: run.step, seconds: clock.seconds, file: file))
    }
}

/// Seconds since it was made, without those that were left out.
private final class PausableClock {
    private var start = ProcessInfo.processInfo.systemUptime

    var seconds: Double { ProcessInfo.processInfo.systemUptime - start }

    func leaveOut(_ seconds: Double) { start += seconds }
}

/// Means of figures by name, in the order in which the names came.
private struct MetricMeans {
    private var sums: [String: (total: Double, count: Int)] = [:]
    private var order: [String] = []

    mutating func add(_ metrics: [TrainingMetric]) {
        for metric in metrics {
            if sums[metric.name] == nil { order.append(metric.name) }
            let old = sums[metric.name] ?? (0, 0)
            sums[metric.name] = (old.total + metric.value, old.count + 1)
        }
    }

    mutating func take() -> [TrainingMetric] {
        defer { self = MetricMeans() }
        return order.compactMap { name in
            sums[name].map { TrainingMetric(name, $0.total / Double($0.count)) }
        }
    }
}

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

        public init(
            logEvery: Int = 20, evaluateEvery: Int = 0, checkpointSeconds: Double = 60,
            stopAfter: Int? = nil
        ) {
            self.logEvery = logEvery
            self.evaluateEvery = evaluateEvery
            self.checkpointSeconds = checkpointSeconds
            self.stopAfter = stopAfter
        }
    }

    /// One line of the metrics file.
    public struct Record: Sendable {
        public var step: Int
        /// Seconds since this process began training.
        public var seconds: Double
        /// Whether the figures are of held-out data.
        public var isEvaluation: Bool
        public var metrics: [TrainingMetric]
    }

    private let options: Options
    private let parallel: DataParallel
    private let save: (TrainingState) throws -> Void
    private let log: (Record) throws -> Void

    /// - Parameters:
    ///   - parallel: the processes that train together; only the first evaluates, saves and logs.
    ///   - save: writes a checkpoint, atomically.
    ///   - log: receives means over the steps since the last line.
    public init(
        options: Options, parallel: DataParallel = .single,
        save: @escaping (TrainingState) throws -> Void,
        log: @escaping (Record) throws -> Void
    ) {
        self.options = options
        self.parallel = parallel
        let isFirst = parallel.rank.rank == 0
        self.save = isFirst ? save : { _ in }
        self.log = isFirst ? log : { _ in }
    }

    /// Runs to the end of the recipe, or until cancelled.
    ///
    /// A checkpoint is saved at the end, on cancellation, and every `checkpointSeconds`; after an
    /// error the last one stays.
    /// - Throws: what the run throws; `CancellationError` after the last checkpoint was saved.
    public func train(
        _ run: any TrainingRun, cancellation: Cancellation,
        progress: (_ step: Int, _ total: Int) -> Void = { _, _ in }
    ) throws {
        let start = ProcessInfo.processInfo.systemUptime
        var lastSave = start
        var sums: [String: (total: Double, count: Int)] = [:]
        var order: [String] = []
        let end = min(run.totalSteps, options.stopAfter ?? .max)
        while run.step < end && !run.isFinished {
            if cancellation.isCancelled {
                try save(run.state())
                throw CancellationError()
            }
            for metric in try run.advance() {
                if sums[metric.name] == nil { order.append(metric.name) }
                let old = sums[metric.name] ?? (0, 0)
                sums[metric.name] = (old.total + metric.value, old.count + 1)
            }
            let now = ProcessInfo.processInfo.systemUptime
            let isLast = run.step == end || run.isFinished
            if run.step % options.logEvery == 0 || isLast {
                let means = order.compactMap { name in
                    sums[name].map { TrainingMetric(name, $0.total / Double($0.count)) }
                }
                try log(
                    Record(
                        step: run.step, seconds: now - start, isEvaluation: false,
                        metrics: parallel.averaged(means)))
                sums = [:]
                order = []
            }
            if options.evaluateEvery > 0, run.step % options.evaluateEvery == 0, !isLast {
                try evaluate(run, since: start, cancellation: cancellation)
            }
            if now - lastSave >= options.checkpointSeconds {
                try save(run.state())
                lastSave = now
            }
            progress(run.step, end)
        }
        try save(run.state())
        try evaluate(run, since: start, cancellation: cancellation)
    }

    private func evaluate(
        _ run: any TrainingRun, since start: Double, cancellation: Cancellation
    ) throws {
        guard parallel.rank.rank == 0 else { return }
        let metrics = try withoutGradients { try run.evaluate(cancellation: cancellation) }
        guard !metrics.isEmpty else { return }
        try log(
            Record(
                step: run.step, seconds: ProcessInfo.processInfo.systemUptime - start,
                isEvaluation: true, metrics: metrics))
    }
}

// What a training process says about itself in its folder. SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// Keeps `status.json` true while a training runs.
///
/// A status that cannot be written does not end the training: checkpoints and metrics say when the
/// disk is full. Used by the training's thread.
final class TrainingReport {
    private let folder: TrainingFolder?
    private var status: TrainingStatus
    private var rate = RateEstimator(weight: 0.05)
    private var lastWrite = 0.0

    /// Commands left for an earlier run of the folder are dropped; without a folder nothing is written.
    init(folder: TrainingFolder?, status: TrainingStatus) {
        self.folder = folder
        self.status = status
        if let folder { unlink(folder.controlPath) }
        write()
    }

    /// Runs the training and writes how it ended.
    func follow(_ body: () throws -> Void) throws {
        do {
            try body()
        } catch {
            if error is CancellationError {
                end(.stopped)
            } else {
                end(.failed, problem: "\(error)")
            }
            throw error
        }
    }

    /// The run is built and restored.
    func begin(_ run: any TrainingRun) {
        status.phase = .running
        status.title = run.title
        status.step = run.step
        status.total = run.totalSteps
        write()
    }

    func advance(to step: Int, of total: Int) {
        let now = ProcessInfo.processInfo.systemUptime
        status.phase = .running
        status.step = step
        status.total = total
        rate.record(step: step, time: now)
        status.remaining = rate.remaining(total: total)
        status.stepsPerSecond = status.remaining.flatMap { remaining in
            remaining > 0 ? Double(total - step) / remaining : nil
        }
        if now - lastWrite >= 0.5 { write() }
    }

    func note(_ event: Trainer.Event) {
        switch event {
        case .checkpoint(let step): status.checkpointStep = step
        case .paused(let step):
            status.phase = .paused
            status.step = step
            status.remaining = nil
            status.stepsPerSecond = nil
        case .resumed:
            status.phase = .running
            // The time of the pause is no time per step.
            rate = RateEstimator(weight: 0.05)
        }
        write()
    }

    func end(_ phase: TrainingStatus.Phase, problem: String? = nil) {
        status.phase = phase
        status.problem = problem
        status.remaining = nil
        write()
    }

    private func write() {
        lastWrite = ProcessInfo.processInfo.systemUptime
        try? folder?.write(status)
    }
}

// The training loop: what is asked for on the way, and what is logged.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import Testing

/// Counts its steps.
private final class CountingRun: TrainingRun {
    let title = "counting"
    private(set) var step = 0
    let totalSteps = 10
    var leftOut = 0.0
    private(set) var samples = 0

    func advance() throws -> [TrainingMetric] {
        step += 1
        return [.init("loss", Double(step))]
    }
    func evaluate(cancellation: Cancellation) -> [TrainingMetric] {
        [.init("held_out", Double(step))]
    }
    func samplePictures(cancellation: Cancellation) -> TrainingPictures? {
        samples += 1
        return TrainingPictures(
            title: "grey", images: [RGBImage(width: 1, height: 1, red: 9)], columns: 1)
    }
    func leaveOut(seconds: Double) { leftOut += seconds }
    func state() -> TrainingState { TrainingState(values: ["step": "\(step)"]) }
    func restore(_ state: TrainingState) throws { step = try state.integer("step") }
    func export() -> (tensors: [(name: String, tensor: Tensor)], metadata: [String: String]) {
        ([], [:])
    }
}

@Suite("Training loop")
struct TrainerTests {
    /// What a run did, and in which order.
    private final class Diary {
        var lines: [String] = []
        /// Commands by the number of the call that asks for them.
        var commands: [Int: [TrainingCommand]] = [:]
        private var calls = 0

        func next() -> [TrainingCommand] {
            calls += 1
            return commands[calls] ?? []
        }
    }

    private func train(
        _ run: CountingRun, options: Trainer.Options,
        commands: [Int: [TrainingCommand]] = [:]
    ) -> (lines: [String], wasCancelled: Bool) {
        let diary = Diary()
        diary.commands = commands
        let trainer = Trainer(
            options: options, save: { diary.lines.append("save \($0.values["step"] ?? "")") },
            log: { record in
                let values = record.values.map { "\($0.name) \($0.value)" }
                diary.lines.append(
                    (["\(record.kind) \(record.step)"] + values + [record.file].compactMap { $0 })
                        .joined(separator: " "))
            },
            samples: { _, step in "s\(step).png" }, commands: diary.next,
            notify: { event in
                if case .paused(let step) = event { diary.lines.append("paused \(step)") }
                if case .resumed = event { diary.lines.append("resumed") }
            })
        do {
            try trainer.train(run, cancellation: Cancellation())
            return (diary.lines, false)
        } catch {
            return (diary.lines, error is CancellationError)
        }
    }

    @Test("Means, evaluations and samples come at their steps")
    func schedule() {
        let run = CountingRun()
        let (lines, _) = train(
            run, options: .init(logEvery: 4, evaluateEvery: 5, sampleEvery: 6))
        #expect(
            lines == [
                "training 4 loss 2.5", "evaluation 5 held_out 5.0", "sample 6 s6.png",
                "training 8 loss 6.5", "training 10 loss 9.5", "save 10",
                "evaluation 10 held_out 10.0", "sample 10 s10.png",
            ])
    }

    @Test("Commands are obeyed between steps")
    func commands() {
        let run = CountingRun()
        // Call n comes before step n.
        let (lines, wasCancelled) = train(
            run, options: .init(logEvery: 100),
            commands: [2: [.checkpoint], 3: [.sample], 5: [.stop]])
        #expect(lines == ["save 1", "sample 2 s2.png", "save 4"])
        #expect(wasCancelled && run.step == 4)
    }

    @Test("A held training takes no step, saves when asked, and its pause does not count")
    func pause() {
        let run = CountingRun()
        let (lines, wasCancelled) = train(
            run, options: .init(logEvery: 100, stopAfter: 3),
            commands: [2: [.pause], 3: [.checkpoint, .sample], 4: [.resume]])
        #expect(
            lines == [
                "paused 1", "save 1", "sample 1 s1.png", "resumed", "training 3 loss 2.0", "save 3",
                "evaluation 3 held_out 3.0",
            ])
        #expect(!wasCancelled && run.leftOut >= 0.2)
        let stopped = CountingRun()
        #expect(train(stopped, options: .init(), commands: [1: [.pause], 2: [.stop]]).wasCancelled)
        #expect(stopped.step == 0)
    }
}

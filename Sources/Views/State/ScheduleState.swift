// The sampling schedule and parameters as they are being edited.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Ready-made schedules.
nonisolated enum SchedulePreset: String, Sendable, CaseIterable, Codable {
    case `default`
    case nextScaleOnly
    case benchmark
    case cosine
    case oneByOne

    var title: String {
        switch self {
        case .default: "default"
        case .nextScaleOnly: "next-scale only"
        case .benchmark: "benchmark-like"
        case .cosine: "cosine everywhere"
        case .oneByOne: "one token at a time"
        }
    }
}

/// One scale's row: the generator it came from, the entries in force, and what was typed wrongly.
nonisolated struct ScaleRow: Sendable, Equatable, Codable {
    /// p_k.
    var side: Int
    /// The generator; nil for a list typed by hand.
    var family: ScheduleFamily?
    /// Mask steps asked of the generator.
    var maskSteps: Int
    /// The last valid row S_k: what runs.
    var entries: [Int]
    /// Text that is not a valid row, kept as typed; nil while all is well.
    var invalidText: String?
    /// Why the text is not valid.
    var reason: String?

    init(side: Int, entries: [Int]) {
        self.side = side
        self.entries = entries
        maskSteps = entries.count - 1
        family = ScheduleFamily.allCases.first {
            $0.row(tokenCount: side * side, maskSteps: entries.count - 1) == entries
        }
    }

    init(side: Int, family: ScheduleFamily, maskSteps: Int) {
        self.side = side
        self.family = family
        self.maskSteps = maskSteps
        entries = family.row(tokenCount: side * side, maskSteps: maskSteps)
    }

    var tokenCount: Int { side * side }
    var text: String { invalidText ?? entries.map(String.init).joined(separator: " ") }
    var familyTitle: String {
        switch family {
        case .cosine: "cosine"
        case .linear: "linear"
        case .square: "square"
        case .allAtEnd: "at end"
        case nil: "manual"
        }
    }
}

/// What a person sets: undo steps and sessions hold this value whole.
nonisolated struct ScheduleValues: Sendable, Equatable, Codable {
    var rows: [ScaleRow] = []
    /// The preset the rows came from; nil once a row was changed.
    var preset: SchedulePreset? = .default
    var classLabel: Int? = 0
    var count = 1
    var seed: UInt64 = 42
    var cfg = 1.5
    var topK = 0
    var topP = 0.0
    var variant = SamplingVariant.hmar
    var mode = ComputeMode.fast

    var patchNums: [Int] { rows.map(\.side) }
    var passCount: Int { rows.reduce(0) { $0 + $1.entries.count } }
    var firstInvalid: Int? { rows.firstIndex { $0.invalidText != nil } }
}

/// A line of the pane that can be selected and changed.
nonisolated enum ScheduleField: Sendable, Hashable {
    case preset
    case row(Int)
    case classLabel, seed, cfg, topK, topP, count, variant, mode
    case generate

    static func all(scales: Int) -> [ScheduleField] {
        [.preset] + (0..<scales).map { .row($0) }
            + [.classLabel, .seed, .cfg, .topK, .topP, .count, .variant, .mode, .generate]
    }
}

nonisolated struct ScheduleState: Sendable {
    /// A value while it is typed in place.
    struct Editing: Sendable, Equatable {
        var field: ScheduleField
        var entry: TextEntry
        /// What Esc goes back to.
        var before: ScheduleValues
        var problem: String?
    }

    var values = ScheduleValues()
    var field = ScheduleField.generate
    /// The value being typed.
    var editing: Editing?
    /// Seconds per pass measured in earlier runs.
    var timings = PassTimings()

    var fields: [ScheduleField] { ScheduleField.all(scales: values.rows.count) }

    /// The schedule that runs: every row's last valid entries, or one pass a scale for variants
    /// without mask steps.
    func schedule(for variant: SamplingVariant) -> SamplingSchedule? {
        guard !values.rows.isEmpty else { return nil }
        if variant != .hmar { return .nextScaleOnly(patchNums: values.patchNums) }
        return try? SamplingSchedule(
            patchNums: values.patchNums, rows: values.rows.map(\.entries))
    }

    /// The request that Enter would start.
    func request(variant: SamplingVariant? = nil) -> SamplingRequest? {
        let variant = variant ?? values.variant
        guard let schedule = schedule(for: variant) else { return nil }
        return SamplingRequest(
            variant: variant, classLabel: values.classLabel, count: values.count,
            seed: values.seed, cfg: values.cfg, topK: values.topK, topP: values.topP,
            schedule: schedule, mode: values.mode)
    }
}

/// Running means of measured pass times, by what they depend on.
nonisolated struct PassTimings: Sendable, Equatable {
    private struct Key: Sendable, Hashable {
        var model: String
        var variant: SamplingVariant
        var mode: ComputeMode
        var count: Int
        var scale: Int
        var isMaskStep: Bool
    }

    private var seconds: [Key: Double] = [:]

    mutating func record(
        _ value: Double, model: String, request: SamplingRequest, scale: Int, isMaskStep: Bool
    ) {
        let key = Key(
            model: model, variant: request.variant, mode: request.mode, count: request.count,
            scale: scale, isMaskStep: isMaskStep)
        seconds[key] = seconds[key].map { $0 + 0.4 * (value - $0) } ?? value
    }

    /// Seconds that a request will take; nil while any part of it was never measured.
    ///
    /// Where only the other kind of pass was measured at a scale, its time stands in.
    func prediction(model: String, request: SamplingRequest) -> Double? {
        var total = 0.0
        for (scale, row) in request.schedule.rows.enumerated() {
            var key = Key(
                model: model, variant: request.variant, mode: request.mode, count: request.count,
                scale: scale, isMaskStep: false)
            let next = seconds[key]
            key.isMaskStep = true
            let mask = seconds[key]
            guard let first = next ?? mask, let other = mask ?? next else { return nil }
            total += first + Double(row.count - 1) * other
        }
        return total
    }
}

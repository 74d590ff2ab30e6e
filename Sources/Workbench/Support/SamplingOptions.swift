// Options that sampling and editing share. SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core

extension SamplingVariant: ExpressibleByArgument {}
extension ComputeMode: ExpressibleByArgument {}
extension EditMode: ExpressibleByArgument {}
extension EditAnchor: ExpressibleByArgument {}

/// Class, seed, guidance, filters and schedule.
struct SamplingOptions: ParsableArguments {
    @Option(help: "The model's name, as `workbench models` lists it.")
    var model = DefaultModel.name

    @Option(
        name: .customLong("class"),
        help: ArgumentHelp("Class name or number; no class when left out.", valueName: "class"))
    var className: String?

    @Option(help: "The seed; drawn and printed when left out.")
    var seed: UInt64?

    @Option(help: "Guidance scale, 0 and up; the model's default when left out.")
    var cfg: Double?

    @Option(help: "Keep the k likeliest codes; 0 = all.")
    var topK: Int?

    @Option(help: "Keep the smallest set of codes with this probability; 0 = all.")
    var topP: Double?

    @Option(
        help: ArgumentHelp(
            "Schedule: default, next-scale, FAMILY:STEPS (cosine, linear, square, allAtEnd), or "
                + "JSON rows such as [[1],[1,3],[9]].", valueName: "schedule"))
    var schedule = "default"

    @Option(help: "Sampler: hmar, hmar-next-scale, var.")
    var variant: SamplingVariant?

    @Option(
        name: .customLong("compute"),
        help: "exact follows the published sampler literally; fast skips what cannot matter.")
    var mode = ComputeMode.fast

    /// The request these options make for a model.
    ///
    /// - Throws: `InputError`, `ScheduleError`.
    func request(for model: any ImageSampling, count: Int) throws -> SamplingRequest {
        let geometry = model.geometry
        let defaults = model.card.defaults
        let cfg = cfg ?? defaults.cfg ?? 1.5
        let topK = topK ?? defaults.topK ?? 0
        let topP = topP ?? defaults.topP ?? 0
        guard cfg.isFinite, (0...100).contains(cfg) else {
            throw InputError("--cfg is \(cfg); give a number from 0 to 100.")
        }
        guard (0...geometry.vocabulary).contains(topK) else {
            throw InputError(
                "--top-k is \(topK); give 0 (all) to \(geometry.vocabulary), the model's codes.")
        }
        guard (0...1).contains(topP) else {
            throw InputError("--top-p is \(topP); give 0 (all) to 1.")
        }
        guard (1...256).contains(count) else {
            throw InputError("--count is \(count); give 1 to 256.")
        }
        guard let variant = variant ?? model.variants.first, model.variants.contains(variant)
        else {
            let names = model.variants.map(\.rawValue).joined(separator: ", ")
            throw InputError(
                "\(model.card.name) cannot sample as \(variant?.rawValue ?? "?"); "
                    + "its samplers are \(names).")
        }
        return SamplingRequest(
            variant: variant, classLabel: try label(in: geometry), count: count,
            seed: seed ?? UInt64.random(in: 0...(1 << 32)), cfg: cfg, topK: topK, topP: topP,
            schedule: try schedule(for: model, variant: variant), mode: mode)
    }

    private func schedule(
        for model: any ImageSampling, variant: SamplingVariant
    ) throws -> SamplingSchedule {
        let patchNums = model.geometry.patchNums
        if variant != .hmar { return .nextScaleOnly(patchNums: patchNums) }
        guard schedule == "default" else {
            return try SamplingSchedule(parsing: schedule, patchNums: patchNums)
        }
        guard let rows = model.card.defaults.schedule else {
            return .nextScaleOnly(patchNums: patchNums)
        }
        return try SamplingSchedule(patchNums: patchNums, rows: rows)
    }

    private func label(in geometry: ScaleGeometry) throws -> Int? {
        guard let className, className != "none" else { return nil }
        if let index = geometry.classes.firstIndex(of: className) { return index }
        if let number = Int(className), geometry.classes.indices.contains(number) { return number }
        let hint = nearestName(to: className, among: geometry.classes)
            .map { "; did you mean \($0)?" }
        throw InputError(
            "--class \(className) is not one of the model's \(geometry.classes.count) classes"
                + (hint ?? " (\(geometry.classes.prefix(12).joined(separator: ", "))"
                    + (geometry.classes.count > 12 ? ", …)." : ").")))
    }
}

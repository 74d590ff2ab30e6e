// `workbench evaluate` for symmetry models. SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import Foundation
import Models

/// Measures the figures of a symmetry model's card.
struct SymmetryFigures {
    let entry: ModelEntry
    let access: ModelAccess
    let data: String?
    let samples: Int?
    /// Pictures of the bank at most.
    let bank: Int?
    /// A network that stays as it is behind the layer, beside the neighbours of pixels.
    let classifier: ImageClassifier?
    let classifierPath: String?
    let only: [String]
    let seed: UInt64
    /// Another seed of the same training.
    let against: String?
    let updateCard: Bool
    let isJSON: Bool
    let common: CommonOptions

    private struct Report: Encodable {
        var model: String
        var seed: UInt64
        var seconds: Double
        var metrics: [ModelCard.Metric]
    }

    func run() throws {
        let interrupt = Interrupt()
        let started = ProcessInfo.processInfo.systemUptime
        let parts = try parsedParts()
        let model = try access.registry.load(entry, cancellation: interrupt.cancellation)
        let line = SharedProgress(common)
        let measure = try measurement(model, interrupt.cancellation) { task, done, total in
            line.show("\(task)  \(done)/\(total)")
        }
        var metrics: [ModelCard.Metric] = []
        for part in SymmetryEvaluationPart.allCases where parts.contains(part) {
            var found = try measure(part)
            line.clear()
            for i in found.indices { found[i].command = command(part) }
            if !isJSON { found.map(EvaluateCommand.row).forEach(Output.line) }
            metrics += found
        }
        if metrics.isEmpty {
            let names = parts.map(\.rawValue).sorted().joined(separator: ", ")
            throw InputError("\(entry.card.name) has no figures of this part: \(names).")
        }
        if updateCard { try EvaluateCommand.store(metrics, in: entry, quiet: common.quiet) }
        if isJSON {
            try Output.json(
                Report(
                    model: entry.card.name, seed: seed,
                    seconds: ProcessInfo.processInfo.systemUptime - started, metrics: metrics))
        }
    }

    /// What measures a part; sets are made and embedded once for all parts.
    private func measurement(
        _ model: any LoadedModel, _ cancellation: Cancellation,
        _ progress: @escaping (String, Int, Int) -> Void
    ) throws -> (SymmetryEvaluationPart) throws -> [ModelCard.Metric] {
        if let points = model as? PointSymmetryModel {
            let evaluation = try PointSymmetryEvaluation(
                model: points, folder: data, count: samples, seed: seed,
                cancellation: cancellation, progress: progress)
            return { try evaluation.run([$0]) }
        }
        guard let pictures = model as? PictureSymmetryModel else {
            throw InputError("\(entry.card.name) has no figures that can be measured.")
        }
        let other = try against.map { name in
            guard
                let found = try access.load(name, cancellation: cancellation)
                    as? PictureSymmetryModel
            else { throw InputError("--against \(name) is no symmetry model for pictures.") }
            return found
        }
        let evaluation = try PictureSymmetryEvaluation(
            model: pictures, folder: data, testCount: samples,
            bankCount: bank ?? PictureSymmetryEvaluation.standardBank,
            other: other, classifier: classifier, seed: seed,
            cancellation: cancellation, progress: progress)
        return { try evaluation.run($0) }
    }

    private func parsedParts() throws -> Set<SymmetryEvaluationPart> {
        let names = only.flatMap { $0.split(separator: ",").map(String.init) }
        if names.isEmpty { return Set(SymmetryEvaluationPart.allCases) }
        return Set(
            try names.map { name in
                guard let part = SymmetryEvaluationPart(rawValue: name) else {
                    let known = SymmetryEvaluationPart.allCases.map(\.rawValue)
                    let hint =
                        nearestName(to: name, among: known).map { "; did you mean \($0)?" } ?? "."
                    throw InputError(
                        "--only \(name) is not known (\(known.joined(separator: ", ")))\(hint)")
                }
                return part
            })
    }

    private func command(_ part: SymmetryEvaluationPart) -> String {
        var words = ["workbench evaluate \(entry.card.name) --only \(part.rawValue)"]
        if let samples { words.append("--samples \(samples)") }
        if let bank { words.append("--bank \(bank)") }
        if part == .downstream, let classifierPath {
            words.append("--classifier \(classifierPath)")
        }
        words.append("--seed \(seed)")
        if let against { words.append("--against \(against)") }
        return words.joined(separator: " ")
    }
}

// The figures of a training as files. SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// What an export of a training holds: a picture for every group of figures, all numbers as CSV and
/// JSON.
nonisolated struct TrainExport: Sendable {
    /// What the files' names begin with.
    var base: String
    var title: String
    var curves: TrainCurves
    var isLogarithmic: Bool

    /// Writes the files; nil, and nothing written, if one of them is there already.
    func write(overwrites: Bool, to base: String, with writeFile: ([UInt8], String) throws -> Void)
        throws -> [String]?
    {
        var files: [(path: String, bytes: () throws -> [UInt8])] = []
        let table = table
        files.append((base + ".csv", { Array(table.csv.utf8) }))
        files.append((base + ".json", { Array(try table.json()) + [0x0A] }))
        for group in curves.groups {
            let plot = curves.plot(group, isLogarithmic: isLogarithmic, cursor: nil)
            files.append(
                (
                    "\(base)-\(Self.fileName(group.name)).png",
                    { try PNG.encode(plot.picture(title: "\(title): \(group.name)")) }
                ))
        }
        if !overwrites, files.contains(where: { FileManager.default.fileExists(atPath: $0.path) }) {
            return nil
        }
        for file in files { try writeFile(try file.bytes(), file.path) }
        return files.map(\.path)
    }

    /// A row for every step of every figure.
    var table: PlotTable {
        PlotTable(
            columns: ["figure", "data", "step", "value"],
            rows: curves.series.flatMap { one in
                zip(one.steps, one.values).map { step, value in
                    [
                        .text(one.name), .text(one.isHeldOut ? "held out" : "training"),
                        .number(step), .number(value),
                    ]
                }
            })
    }

    static func fileName(_ text: String) -> String {
        String(text.map { $0.isLetter || $0.isNumber ? $0 : "-" })
            .replacing("--", with: "-")
    }
}

nonisolated extension Reducer {
    /// Asks what the files of the shown training's figures are called.
    static func askForTrainingExport(_ state: inout AppState) {
        guard let run = state.train.shown, !run.curves.isEmpty else {
            notify(.info, "There are no figures to write yet.", &state)
            return
        }
        let name = TrainExport.fileName(run.status?.name.nonEmpty ?? "training")
        state.overlays.append(
            .prompt(.trainingExport(folder: run.folder), TextEntry(name), problem: nil))
    }

    static func exportTraining(
        _ folder: String, base: String, overwrites: Bool, _ state: inout AppState
    ) -> [Effect] {
        guard let run = state.train.runs[folder], !base.isEmpty else { return [] }
        let export = TrainExport(
            base: base, title: run.status?.name.nonEmpty ?? folder, curves: run.curves,
            isLogarithmic: state.train.isLogarithmic)
        return [.exportTraining(export, folder: folder, overwrites: overwrites)]
    }
}

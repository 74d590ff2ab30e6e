// Everything that the symmetry pane shows, as files. SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// The contents of an export: charts as PNG, their numbers as CSV and JSON, the list, the pictures.
nonisolated struct SymmetryExport: Sendable {
    struct File: Sendable, Equatable {
        var path: String
        var content: Content
    }

    enum Content: Sendable, Equatable {
        case picture(RGBImage)
        case text(String)
    }

    /// What the files' names begin with.
    var base: String
    private var symmetry: SymmetryState

    /// Nil while there is nothing to write.
    init?(_ symmetry: SymmetryState, base: String) {
        guard symmetry.a.distribution != nil else { return nil }
        self.base = base
        self.symmetry = symmetry
    }

    /// The files, made when asked for: that belongs to a worker.
    func files() -> [File] {
        SymmetrySide.allCases.flatMap { side -> [File] in
            guard symmetry.sides[side] != nil else { return [] }
            return files(of: side, stem: base + (side == .b ? "-B" : ""))
        }
    }

    /// Writes the files; nil, and nothing written, if one of them is there already.
    func write(
        base: String, overwrites: Bool, with writeFile: ([UInt8], String) throws -> Void
    ) throws -> [String]? {
        var copy = self
        copy.base = base
        let files = copy.files()
        if !overwrites, files.contains(where: { FileManager.default.fileExists(atPath: $0.path) }) {
            return nil
        }
        for file in files {
            switch file.content {
            case .picture(let image): try writeFile(try PNG.encode(image), file.path)
            case .text(let text): try writeFile(Array(text.utf8), file.path)
            }
        }
        return files.map(\.path)
    }

    private func files(of side: SymmetrySide, stem: String) -> [File] {
        let answers = symmetry.side(side)
        guard let distribution = answers.distribution, let facts = symmetry.facts(of: side) else {
            return []
        }
        let chart = symmetry.chart(of: distribution, bins: symmetry.bins)
        let report = SymmetryReport(
            title: "\(facts.title), \(facts.modelName)", settings: answers.settings)
        let title = SymmetryText.title(distribution.scope, symmetry)
        let notes = SymmetryText.fitLines(distribution, answers)
        var files = [
            File(
                path: stem + ".png",
                content: .picture(SymmetryPlot.bars(chart, title: title, notes: notes))),
            File(
                path: stem + "-rose.png", content: .picture(SymmetryPlot.rose(chart, title: title))),
            File(path: stem + ".csv", content: .text(SymmetryReport.csv(chart))),
            File(
                path: stem + ".json",
                content: .text(report.json(distribution, chart: chart).text + "\n")),
        ]
        if let table = answers.table {
            let name = { symmetry.name($0) }
            let label = { (input: Int) in facts.label(input).map { facts.labelName($0) } }
            files.append(
                File(
                    path: stem + "-inputs.csv",
                    content: .text(
                        SymmetryReport.csv(
                            table.rows, group: facts.group, name: name, label: label))))
            files.append(
                File(
                    path: stem + "-inputs.json",
                    content: .text(report.json(table, name: name, label: label).text + "\n")))
        }
        let neighbours = (0..<8).map { SymmetryForm.neighbour($0) }
        let orbit = SymmetryState.orbit.map { SymmetryForm.orbit(degrees: $0) }
        for form in SymmetryState.forms + neighbours + orbit {
            guard let shape = answers.shapes[form] else { continue }
            let path = "\(stem)-\(SymmetryText.fileName(form))"
            switch shape {
            case .picture(let image):
                files.append(File(path: path + ".png", content: .picture(image)))
            case .points(let points):
                files.append(
                    File(
                        path: path + ".png",
                        content: .picture(
                            SymmetryPane.picture(points, eye: SymmetryState.restingEye, side: 320)))
                )
                if SymmetryState.forms.contains(form) {
                    files.append(
                        File(path: path + ".xyz", content: .text(points.xyz(comment: title))))
                }
            }
        }
        return files
    }
}

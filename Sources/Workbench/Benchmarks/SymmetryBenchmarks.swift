// How long the symmetry pane's short questions take. SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import Models

/// Asks a session of a symmetry model for pictures what the pane asks when a person moves to
/// another input: its distribution, its row, its chart, and what a turn does.
struct SymmetryBenchmarks {
    let access: ModelAccess
    let name: String
    private let count = 3000

    func run(_ bench: Benchmark) throws -> [BenchRow] {
        guard
            let model = try access.load(name, cancellation: bench.cancellation)
                as? PictureSymmetryModel
        else { throw InputError("\(name) is no symmetry model for pictures; give another.") }
        let session = try model.openSymmetry(
            pictures: Self.pictures(count), title: "generated bars",
            cancellation: bench.cancellation
        ) { _, _, _ in }
        var rows: [BenchRow] = []
        for look in session.offer.looks {
            var settings = session.offer.defaults
            settings.mean = .frechet
            settings.look = look
            let title = "\(look.rawValue) look, \(count) inputs"
            // The second look is taken once, by the table of the whole set.
            let begun = ProcessInfo.processInfo.systemUptime
            _ = try session.table(settings: settings, cancellation: bench.cancellation) { _, _ in }
            rows.append(
                BenchRow(
                    "\(title): all", seconds: ProcessInfo.processInfo.systemUptime - begun))
            var input = 0
            rows.append(
                try bench.time("\(title): one input's distribution, drawn") {
                    input = (input + 17) % count
                    _ = try session.row(of: input, settings: settings)
                    let found = try session.distribution(
                        .neighbours(input), settings: settings, cancellation: bench.cancellation)
                    _ = SymmetryPlot.bars(
                        SymmetryChart(found, corrected: true, bins: 36), title: title, notes: [])
                })
            rows.append(
                try bench.time("\(title): one input turned") {
                    input = (input + 17) % count
                    _ = try session.response(of: input, to: .angle(37), settings: settings)
                })
        }
        for i in rows.indices { rows[i].section = "symmetry, \(name)" }
        return rows
    }

    /// Bars of many lengths and places, turned: what is in them does not matter for time.
    private static func pictures(_ count: Int) -> [RGBImage] {
        var generator = RandomGenerator(seed: 1)
        return (0..<count).map { _ in
            var pixels = [UInt8](repeating: 0, count: 3 * 28 * 28)
            let (column, top) = (8 + generator.nextInt(below: 12), 4 + generator.nextInt(below: 8))
            for y in top..<(top + 6 + generator.nextInt(below: 8)) {
                for x in column..<(column + 3) {
                    for c in 0..<3 { pixels[3 * (28 * y + x) + c] = 255 }
                }
            }
            return RGBImage(width: 28, height: 28, pixels: pixels)
        }
    }
}

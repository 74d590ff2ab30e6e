// HMAR against VAR, each in a process of its own. SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import Models

/// Pictures of both models at the schedules of the published comparison.
///
/// Every picture is made by a child process, HMAR and VAR in turn, so that neither finds memory that
/// the other left behind. Where one picture takes long, there is no warm-up.
struct HMARComparison {
    let size: PublishedSize
    let seed: UInt64
    let runs: Int
    let threads: Int
    let cancellation: Cancellation

    func run(imageSize: Int) throws -> (rows: [BenchRow], figures: [PictureFigures]) {
        var (hmar, other): ([PictureFigures], [PictureFigures]) = ([], [])
        for _ in 0..<runs {
            hmar.append(try measure(.hmar, imageSize))
            other.append(try measure(.var, imageSize))
        }
        let pair = [Self.merged(hmar), Self.merged(other)]
        let section = "hmar against var, \(size.rawValue), \(imageSize)×\(imageSize)"
        return (Self.rows(pair[0], pair[1]).under(section), pair)
    }

    private func measure(_ variant: SamplingVariant, _ imageSize: Int) throws -> PictureFigures {
        try cancellation.check()
        let child = try ChildProcess(
            [
                "bench", "hmar", "--size", size.rawValue, "--resolution", "\(imageSize)",
                "--variant", variant.rawValue, "--schedule", "benchmark", "--mode", "fast",
                "--part", "pictures", "--runs", "1", "--seed", "\(seed)", "--threads", "\(threads)",
                "--json",
            ], cancellation: cancellation)
        struct Answer: Decodable { var pictures: [PictureFigures] }
        let output = try child.end()
        guard let answer = try? JSONDecoder().decode(Answer.self, from: output),
            let figures = answer.pictures.first
        else { throw ChildProcess.Failure(arguments: child.arguments) }
        return figures
    }

    /// One run of each child as one set of figures.
    private static func merged(_ runs: [PictureFigures]) -> PictureFigures {
        var result = runs[0]
        func medians(_ part: (PictureFigures) -> [Double]) -> [Double] {
            part(runs[0]).indices.map { i in Benchmark.median(runs.map { part($0)[i] }) }
        }
        result.passSeconds = medians(\.passSeconds)
        result.secondsPerScale = medians(\.secondsPerScale)
        result.decodeSeconds = Benchmark.median(runs.map(\.decodeSeconds))
        let totals = runs.map(\.totalSeconds)
        result.totals = [totals.min() ?? 0, Benchmark.median(totals), totals.max() ?? 0]
        result.transformerPeak = runs.map(\.transformerPeak).max() ?? 0
        result.decoderPeak = runs.map(\.decoderPeak).max() ?? 0
        return result
    }

    private static func rows(_ hmar: PictureFigures, _ other: PictureFigures) -> [BenchRow] {
        func pair(_ name: String, _ unit: String, _ part: (PictureFigures) -> Double) -> BenchRow {
            let (a, b) = (part(hmar), part(other))
            var row = BenchRow(name, value: a, unit: unit)
            // Where HMAR has none, there is no ratio, but VAR's figure is the news.
            row.ratio = a > 0 ? b / a : nil
            row.reference = String(format: "in VAR, %.1f", b)
            return row
        }
        var rows = [
            pair("passes", "") { Double($0.passSeconds.count) },
            pair("picture", "ms") { $0.totalSeconds * 1e3 },
            pair("  transformer", "ms") { $0.passSeconds.reduce(0, +) * 1e3 },
            pair("  decode", "ms") { $0.decodeSeconds * 1e3 },
        ]
        for (scale, row) in hmar.schedule.enumerated() {
            let name = "  scale \(scale), \(row.reduce(0, +)) tokens, \(row.count) against 1 passes"
            rows.append(pair(name, "ms") { $0.secondsPerScale[scale] * 1e3 })
        }
        return rows + [
            pair("key/value cache", "MB") { Double($0.cacheBytes) / 1e6 },
            pair("memory beyond the weights, transformer", "MB") {
                Double($0.transformerMemory) / 1e6
            },
            pair("memory beyond the weights, decoder", "MB") { Double($0.decoderMemory) / 1e6 },
            pair("memory beyond the weights, picture", "MB") { Double($0.memory) / 1e6 },
        ]
    }
}

// Progress of a sampler, pass by pass. SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// Shows passes on standard error.
final class PassProgress: @unchecked Sendable {
    private let lock = NSLock()
    private var line: ProgressLine

    init(_ common: CommonOptions) {
        line = ProgressLine(common.progress, quiet: common.quiet)
    }

    func show(_ report: PassReport) {
        let step = report.step == 0 ? "next-scale pass" : "mask step \(report.step)"
        lock.withLock {
            line.show(
                "pass \(report.pass)/\(report.passCount)  scale \(report.scale + 1)/"
                    + "\(report.scaleCount), \(step)", isLast: report.pass == report.passCount)
        }
    }

    func clear() { lock.withLock { line.clear() } }
}

/// Keeps every pass for `--trace`: pictures and token grids.
final class PassTrace: @unchecked Sendable {
    private struct Entry: Encodable {
        var pass: Int
        var scale: Int
        var step: Int
        var seconds: Double
        var tokens: [Int32]
        var confidence: [Float]
        var entropy: [Float]
    }

    private let folder: String
    private let lock = NSLock()
    private var entries: [Entry] = []
    private var pictures: [(name: String, image: RGBImage)] = []

    init(folder: String) throws {
        self.folder = folder
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw InputError("\(folder): this folder cannot be made; give another with --trace.")
        }
    }

    func record(_ report: PassReport) {
        lock.withLock {
            entries.append(
                Entry(
                    pass: report.pass, scale: report.scale, step: report.step,
                    seconds: report.seconds, tokens: report.grid.tokens,
                    confidence: report.grid.confidence, entropy: report.grid.entropy))
            for (i, image) in report.previews.enumerated() {
                let name = String(format: "pass-%02d-%d.png", report.pass, i)
                pictures.append((name, image))
            }
        }
    }

    /// Writes what was kept: `passes.json` and one PNG a pass and picture.
    func finish() throws {
        let kept: ([Entry], [(name: String, image: RGBImage)]) = lock.withLock {
            (entries, pictures)
        }
        for picture in kept.1 { try PNG.write(picture.image, to: "\(folder)/\(picture.name)") }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        try AtomicWrite.write([UInt8](try encoder.encode(kept.0)), to: "\(folder)/passes.json")
    }
}

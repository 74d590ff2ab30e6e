// A model without weights: deterministic pictures and tokens, at once.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// Samples, edits and tokenizes by arithmetic, keeping every promise of the session protocols.
///
/// Tokens depend on seed, class, scale and position only, so the same request gives the same
/// pictures, and the pictures of a coarse scale are coarse.
public final class FakeImageModel: ImageEditing, ImageTokenizing, @unchecked Sendable {
    public let card: ModelCard
    public let geometry: ScaleGeometry
    public let variants: [SamplingVariant]
    public var weightBytes: Int { 1_234_567 }
    public var summaryLines: [String] { ["fake: no weights"] }
    /// Seconds that a pass takes.
    private let passSeconds: Double
    private let lock = NSLock()
    private var rows: [[[Int]]] = []

    /// The rows that every finished run really ran, in order.
    public var rowsRun: [[[Int]]] { lock.withLock { rows } }

    public init(
        name: String = "fake-digits", imageSize: Int = 28, patchNums: [Int] = [1, 2, 3, 5, 7],
        variants: [SamplingVariant] = [.hmar, .hmarNextScale, .var], passSeconds: Double = 0
    ) {
        geometry = ScaleGeometry(
            imageSize: imageSize, patchNums: patchNums, vocabulary: 64,
            classes: [
                "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
            ])
        card = Self.card(name: name, geometry: geometry)
        self.variants = variants
        self.passSeconds = passSeconds
    }

    public static func card(name: String, geometry: ScaleGeometry) -> ModelCard {
        ModelCard(
            name: name, system: "fake", summary: "Digits drawn by arithmetic, for tests.",
            imageSize: geometry.imageSize, patchNums: geometry.patchNums,
            classes: geometry.classes, parameters: ["hmar": 1000, "tokenizer": 200],
            data: "none", dataLicence: "none", licence: "Apache-2.0",
            defaults: ModelCard.Defaults(cfg: 1.5, topK: 0, topP: 0))
    }

    // MARK: Sampling

    public func sample(
        _ request: SamplingRequest, control: SamplingControl
    ) throws -> SamplingResult {
        try run(request, kept: nil, editable: nil, control: control)
    }

    public func edit(_ request: EditRequest, control: SamplingControl) throws -> EditResult {
        let source = try encode(request.source)
        let editable = geometry.patchNums.enumerated().map { scale, side -> [Bool] in
            (0..<(side * side)).map { cell in
                guard scale >= request.keepScales, side > 1 else { return false }
                if request.mode == .vary { return true }
                let x = (2 * (cell % side) + 1) * request.mask.width / (2 * side)
                let y = (2 * (cell / side) + 1) * request.mask.height / (2 * side)
                return request.mask[x, y]
            }
        }
        let rows = zip(geometry.patchNums, request.maskSteps).map { side, steps in
            ScheduleFamily.cosine.row(
                tokenCount: side * side, maskSteps: min(steps, side * side - 1))
        }
        var sampling = request.sampling
        sampling.schedule = try SamplingSchedule(patchNums: geometry.patchNums, rows: rows)
        let result = try run(sampling, kept: source, editable: editable, control: control)
        return EditResult(
            sampling: result, reconstruction: try decode(source, throughScale: nil),
            sourceTokens: source, editable: editable)
    }

    private func run(
        _ request: SamplingRequest, kept: TokenMaps?, editable: [[Bool]]?,
        control: SamplingControl
    ) throws -> SamplingResult {
        let scales = geometry.patchNums.count
        var ran: [[Int]] = []
        var maps = (0..<request.count).map { _ in
            TokenMaps(patchNums: geometry.patchNums, scales: [])
        }
        var grids: [TokenGrid] = []
        var seconds: [Double] = []
        var pass = 0
        for scale in 0..<scales {
            try control.checkpoint()
            if let start = request.start, scale < start.scale {
                ran.append(request.schedule.rows[scale])
                for picture in maps.indices {
                    maps[picture].scales.append(start.tokens[picture].scales[scale])
                }
                grids.append(
                    self.grid(
                        maps[0].scales[scale], scale: scale, row: request.schedule.rows[scale],
                        through: 0,
                        editable: [Bool](repeating: false, count: maps[0].scales[scale].count)))
                seconds.append(0)
                continue
            }
            let row = control.row(forScale: scale, proposed: request.schedule.rows[scale])
            ran.append(row)
            for picture in maps.indices {
                maps[picture].scales.append(
                    tokens(request, picture: picture, scale: scale, kept: kept, editable: editable))
            }
            var grid = grid(
                maps[0].scales[scale], scale: scale, row: row, through: 0,
                editable: editable?[scale])
            for step in row.indices {
                if passSeconds > 0 { Thread.sleep(forTimeInterval: passSeconds) }
                pass += 1
                grid = self.grid(
                    maps[0].scales[scale], scale: scale, row: row, through: step,
                    editable: editable?[scale])
                let planned = control.plannedRows(request.schedule.rows)
                let total = planned[(scale + 1)...].reduce(0) { $0 + $1.count }
                let previews =
                    control.wantsPreview()
                    ? try maps.map { try decode($0, throughScale: scale) } : []
                try control.report(
                    PassReport(
                        pass: pass, passCount: pass + row.count - 1 - step + total, scale: scale,
                        scaleCount: scales, step: step, completesScale: step == row.count - 1,
                        seconds: 0.01, previews: previews, grid: grid))
            }
            grids.append(grid)
            seconds.append(0.01 * Double(row.count))
        }
        lock.withLock { rows.append(ran) }
        return SamplingResult(
            images: try maps.map { try decode($0, throughScale: nil) }, tokens: maps,
            schedule: try SamplingSchedule(patchNums: geometry.patchNums, rows: ran),
            passCount: pass, secondsPerScale: seconds, decodeSeconds: 0.001,
            cacheBytes: request.variant == .var ? 65_536 : 0, grids: grids)
    }

    private func tokens(
        _ request: SamplingRequest, picture: Int, scale: Int, kept: TokenMaps?,
        editable: [[Bool]]?
    ) -> [Int32] {
        let side = geometry.patchNums[scale]
        return (0..<(side * side)).map { cell in
            if let kept, let editable, !editable[scale][cell] { return kept.scales[scale][cell] }
            let label = UInt64(request.classLabel ?? 99)
            return Self.hash(
                request.seed &+ 31 &* label &+ 977 &* UInt64(picture), scale, cell)
                % Int32(geometry.vocabulary)
        }
    }

    private static func hash(_ seed: UInt64, _ scale: Int, _ cell: Int) -> Int32 {
        var z = seed &+ UInt64(scale &* 1009 &+ cell) &* 0x9E37_79B9_7F4A_7C15
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        return Int32(truncatingIfNeeded: (z ^ (z >> 31)) & 0x7FFF_FFFF)
    }

    private func grid(
        _ tokens: [Int32], scale: Int, row: [Int], through step: Int, editable: [Bool]?
    ) -> TokenGrid {
        var origin: [TokenOrigin] = []
        for cell in tokens.indices {
            if let editable, !editable[cell] {
                origin.append(.source)
                continue
            }
            var end = 0
            var found = TokenOrigin.pending
            for (s, count) in row.enumerated() {
                end += count
                if cell < end {
                    found = s > step ? .pending : s == 0 ? .nextScale : .maskStep(s)
                    break
                }
            }
            origin.append(found)
        }
        let confidence = tokens.map { Float(Int($0) % 100) / 100 }
        return TokenGrid(
            scale: scale, side: geometry.patchNums[scale], tokens: tokens,
            confidence: confidence, entropy: tokens.map { Float(Int($0) % 6) }, origin: origin,
            candidates: tokens.map { token in
                (0..<10).map { rank in
                    TokenCandidate(
                        code: (token + Int32(rank)) % Int32(geometry.vocabulary),
                        probability: 0.5 / Float(1 << rank))
                }
            })
    }

    // MARK: Tokens

    public func encode(_ image: RGBImage) throws -> TokenMaps {
        let scales = geometry.patchNums.map { side in
            (0..<(side * side)).map { cell -> Int32 in
                let x = (2 * (cell % side) + 1) * image.width / (2 * side)
                let y = (2 * (cell / side) + 1) * image.height / (2 * side)
                return Int32(image[x, y].red) * Int32(geometry.vocabulary) / 256
            }
        }
        return TokenMaps(patchNums: geometry.patchNums, scales: scales)
    }

    public func decode(_ tokens: TokenMaps, throughScale: Int?) throws -> RGBImage {
        let last = min(throughScale ?? tokens.scales.count - 1, tokens.scales.count - 1)
        var image = RGBImage(width: geometry.imageSize, height: geometry.imageSize)
        guard last >= 0 else { return image }
        let side = geometry.patchNums[last]
        for y in 0..<image.height {
            for x in 0..<image.width {
                let cell = (y * side / image.height) * side + x * side / image.width
                let value = Int(tokens.scales[last][cell]) * 255 / (geometry.vocabulary - 1)
                let grey = UInt8(max(0, min(255, value)))
                image[x, y] = (red: grey, green: grey, blue: grey)
            }
        }
        return image
    }
}

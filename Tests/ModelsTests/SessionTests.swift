// Sampling and editing through the session protocols.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import Models
import Synchronization
import TestSupport
import Testing

func fixtureCard() -> ModelCard {
    ModelCard(
        name: "tiny", system: "hmar", summary: "random weights", imageSize: 64,
        patchNums: [1, 2, 3, 4], data: "none", dataLicence: "none", licence: "Apache-2.0",
        files: [
            .init(role: "tokenizer", path: "tiny_vae.f16.safetensors", sha256: "", bytes: 0),
            .init(role: "hmar", path: "tiny_hmar.safetensors", sha256: "", bytes: 0),
            .init(role: "var", path: "tiny_var.safetensors", sha256: "", bytes: 0),
        ])
}

func fixtureSession() throws -> HMARSession {
    try HMARSession(ModelEntry(card: fixtureCard(), folder: Fixture.path("hmar")))
}

/// Collects reports from the sampler's thread.
final class ReportList: Sendable {
    private let list = Mutex<[PassReport]>([])
    var reports: [PassReport] { list.withLock { $0 } }
    func add(_ report: PassReport) { list.withLock { $0.append(report) } }
}

@Suite struct SessionTests {
    let session: HMARSession
    let rows = [[1], [1, 3], [1, 1, 2, 5], [4, 5, 7]]

    init() throws { session = try fixtureSession() }

    func request(
        _ variant: SamplingVariant = .hmar, count: Int = 1, seed: UInt64 = 5
    ) throws -> SamplingRequest {
        SamplingRequest(
            variant: variant, classLabel: 3, count: count, seed: seed, cfg: 1.5, topK: 20,
            topP: 0.95, schedule: try SamplingSchedule(patchNums: [1, 2, 3, 4], rows: rows))
    }

    @Test func geometryAndVariants() {
        #expect(session.geometry.imageSize == 64)
        #expect(session.geometry.classes.count == 10)
        #expect(session.variants == [.hmar, .hmarNextScale, .var])
        #expect(session.summaryLines.count == 3)
        #expect(session.weightBytes > 9_000_000)
    }

    @Test(arguments: SamplingVariant.allCases)
    func sameSeedSameBytesAndReportsOfEveryPass(variant: SamplingVariant) throws {
        let list = ReportList()
        let first = try session.sample(
            request(variant),
            control: SamplingControl(previewWanted: { true }, observer: { list.add($0) }))
        let second = try session.sample(request(variant), control: SamplingControl())
        #expect(first.images == second.images && first.tokens == second.tokens)
        let passes = variant == .hmar ? 10 : 4
        #expect(first.passCount == passes && list.reports.count == passes)
        #expect(list.reports.map(\.pass) == Array(1...passes))
        #expect(list.reports.allSatisfy { $0.passCount == passes && $0.previews.count == 1 })
        // The last preview is the result: previews come from the true state.
        #expect(list.reports.last?.previews == first.images)
        #expect((first.cacheBytes > 0) == (variant == .var))
        #expect(first.grids.map(\.side) == [1, 2, 3, 4])
        #expect(first.grids.last?.tokens == first.tokens[0].scales.last)
        let other = try session.sample(request(variant, seed: 6), control: SamplingControl())
        #expect(other.tokens != first.tokens)
        // The picture is that of its tokens.
        #expect(try session.decode(first.tokens[0], throughScale: nil) == first.images[0])
    }

    @Test func aPictureOfABatchIsThatOfItsSeedAlone() throws {
        let one = try session.sample(request(count: 1), control: SamplingControl())
        let three = try session.sample(request(count: 3), control: SamplingControl())
        #expect(three.tokens[0] == one.tokens[0])
        #expect(three.tokens[1] != three.tokens[0])
    }

    /// Scales taken over cost no passes, and the seed's numbers go on where they would have.
    @Test(arguments: SamplingVariant.allCases)
    func goingOnFromAScaleGivesTheSamePicture(variant: SamplingVariant) throws {
        let whole = try session.sample(request(variant, count: 2), control: SamplingControl())
        var request = try request(variant, count: 2)
        request.start = SamplingStart(tokens: whole.tokens, scale: 2)
        let list = ReportList()
        let rest = try session.sample(
            request, control: SamplingControl(observer: { list.add($0) }))
        #expect(rest.tokens == whole.tokens && rest.images == whole.images)
        let passes = variant == .hmar ? 7 : 2
        #expect(rest.passCount == passes && list.reports.count == passes)
        #expect(list.reports.allSatisfy { $0.passCount == passes && $0.scale >= 2 })
        #expect(rest.schedule == whole.schedule)
        request.seed = 6
        let other = try session.sample(request, control: SamplingControl())
        for picture in 0..<2 {
            #expect(other.tokens[picture].scales[..<2] == whole.tokens[picture].scales[..<2])
            #expect(other.tokens[picture].scales[2...] != whole.tokens[picture].scales[2...])
        }
    }

    @Test func aStartOfAnotherBatchOrModelIsRefused() throws {
        let whole = try session.sample(request(), control: SamplingControl())
        var request = try request(count: 2)
        request.start = SamplingStart(tokens: whole.tokens, scale: 2)
        #expect(throws: SamplingError.startDoesNotFit(scale: 2, pictures: 1, count: 2)) {
            try session.sample(request, control: SamplingControl())
        }
        request.count = 1
        request.start?.tokens[0].scales[1][0] = 1_000_000
        #expect(throws: SamplingError.startDoesNotFit(scale: 2, pictures: 1, count: 1)) {
            try session.sample(request, control: SamplingControl())
        }
    }

    @Test func aRowSetWhileRunningIsReported() throws {
        let list = ReportList()
        let control = SamplingControl(observer: { list.add($0) })
        control.setRow([16], scale: 3)
        let result = try session.sample(request(), control: control)
        #expect(result.schedule.rows == [[1], [1, 3], [1, 1, 2, 5], [16]])
        #expect(result.passCount == 8)
        #expect(list.reports.allSatisfy { $0.passCount == 8 })
    }

    @Test func cancellationEndsARun() throws {
        let control = SamplingControl(observer: { report in
            if report.pass == 3 { Self.cancelled.withLock { $0?.cancel() } }
        })
        Self.cancelled.withLock { $0 = control.cancellation }
        #expect(throws: CancellationError.self) {
            try session.sample(request(), control: control)
        }
    }
    private static let cancelled = Mutex<Cancellation?>(nil)

    @Test func wrongRequestsAreRefused() throws {
        func expectRefusal(_ error: SamplingError, _ change: (inout SamplingRequest) -> Void) throws
        {
            var request = try request()
            change(&request)
            #expect(throws: error) { try session.sample(request, control: SamplingControl()) }
        }
        try expectRefusal(.unknownClass(found: 10, classCount: 10)) { $0.classLabel = 10 }
        try expectRefusal(
            .outOfRange(name: "the number of pictures", found: "0", allowed: "1 to 64")
        ) { $0.count = 0 }
        try expectRefusal(
            .outOfRange(name: "top-k", found: "-1", allowed: "0 (all) or more")
        ) { $0.topK = -1 }
        try expectRefusal(
            .outOfRange(name: "top-p", found: "1.5", allowed: "0 (all) to 1")
        ) { $0.topP = 1.5 }
        var other = try request()
        other.schedule = .nextScaleOnly(patchNums: [1, 2, 3])
        #expect(throws: ScheduleError.wrongScaleCount(expected: 4, found: 3)) {
            try session.sample(other, control: SamplingControl())
        }
    }

    @Test func encodingRoundTripsThroughItsTokens() throws {
        let picture = try session.sample(request(), control: SamplingControl()).images[0]
        let tokens = try session.encode(picture)
        let decoded = try session.decode(tokens, throughScale: nil)
        #expect(decoded.width == 64)
        #expect(try session.decode(tokens, throughScale: 0) != decoded)
        #expect(
            throws: SamplingError.wrongSize(what: "picture", width: 8, height: 8, expected: 64)
        ) { try session.encode(RGBImage(width: 8, height: 8)) }
    }
}

@Suite struct EditingTests {
    let session: HMARSession
    let source: RGBImage

    init() throws {
        session = try fixtureSession()
        var image = RGBImage(width: 64, height: 64)
        for y in 0..<64 {
            for x in 0..<64 { image[x, y] = (UInt8(4 * x), UInt8(4 * y), UInt8(x ^ y)) }
        }
        source = image
    }

    func request(
        mode: EditMode = .inpaint, anchor: EditAnchor = .tokens, seed: UInt64 = 1,
        change: (inout EditRequest) -> Void = { _ in }
    ) -> EditRequest {
        var mask = PixelMask(width: 64, height: 64)
        for y in 0..<64 { for x in 0..<34 { mask[x, y] = true } }
        var request = EditRequest(
            source: source, mask: mask, mode: mode, anchor: anchor, maskSteps: [0, 1, 2, 3],
            sampling: SamplingRequest(
                classLabel: 4, count: 2, seed: seed, topK: 0,
                schedule: .nextScaleOnly(patchNums: [1, 2, 3, 4])))
        change(&request)
        return request
    }

    @Test func editableCellsAreThoseMoreThanHalfCovered() throws {
        let result = try session.edit(request(), control: SamplingControl())
        // 34 of 64 columns: half of a 2×2 map, one column of three of a 3×3 map (34 > 32 of the
        // middle's 21.3…42.7 is a half of it), two of four.
        let columns = result.editable.map { cells in
            let side = Int(Double(cells.count).squareRoot())
            return (0..<side).map { cells[$0] }
        }
        #expect(columns[0] == [false])
        #expect(columns[1] == [true, false])
        #expect(columns[3] == [true, true, false, false])
        let grown = try session.edit(
            request { $0.dilate = 1 }, control: SamplingControl())
        #expect(Array(grown.editable[3][0..<4]) == [true, true, true, false])
    }

    @Test func keptTokensAreTheSourcesAtEveryScaleAndOthersDependOnTheSeed() throws {
        let first = try session.edit(request(), control: SamplingControl())
        let second = try session.edit(request(seed: 2), control: SamplingControl())
        for result in [first, second] {
            for tokens in result.sampling.tokens {
                for (scale, cells) in result.editable.enumerated() {
                    for (cell, isEditable) in cells.enumerated() where !isEditable {
                        #expect(
                            tokens.scales[scale][cell]
                                == result.sourceTokens.scales[scale][cell])
                    }
                }
            }
        }
        #expect(first.sampling.tokens != second.sampling.tokens)
        #expect(first.sourceTokens == (try session.encode(source)))
        #expect(first.reconstruction == (try session.decode(first.sourceTokens, throughScale: nil)))
        // Scale 0 is kept and needs no pass; the others have one more than their mask steps.
        #expect(first.sampling.passCount == 2 + 3 + 4)
    }

    @Test func reportsCountThePassesOfTheEdit() throws {
        let list = ReportList()
        let result = try session.edit(
            request(mode: .classEdit), control: SamplingControl(observer: { list.add($0) }))
        #expect(list.reports.count == result.sampling.passCount)
        #expect(list.reports.allSatisfy { $0.passCount == result.sampling.passCount })
        #expect(result.sampling.grids.count == 4)
        #expect(result.sampling.grids[0].origin == [.source])
        let kept = zip(result.sampling.grids[3].origin, result.editable[3])
        #expect(kept.allSatisfy { ($0 == .source) == !$1 })
    }

    @Test func varyKeepsTheCoarseScales() throws {
        let result = try session.edit(
            request(mode: .vary) { $0.keepScales = 2 }, control: SamplingControl())
        #expect(result.editable.map { $0.contains(true) } == [false, false, true, true])
        for tokens in result.sampling.tokens {
            #expect(Array(tokens.scales[..<2]) == Array(result.sourceTokens.scales[..<2]))
        }
        let all = try session.edit(
            request(mode: .vary) {
                $0.keepScales = 4
                $0.keepScales = 3
            }, control: SamplingControl())
        #expect(all.sampling.passCount == 4)
    }

    @Test func repaintTakesTheLeastSureTokensOfEveryMap() throws {
        func run(_ share: Double) throws -> EditResult {
            try session.edit(
                request(mode: .repaint) { $0.share = share }, control: SamplingControl())
        }
        let quarter = try run(0.25)
        let half = try run(0.5)
        #expect(quarter.editable.map { $0.filter { $0 }.count } == [0, 1, 2, 4])
        #expect(half.editable.map { $0.filter { $0 }.count } == [0, 2, 5, 8])
        for (few, many) in zip(quarter.editable, half.editable) {
            // The least sure quarter is part of the least sure half.
            #expect(zip(few, many).allSatisfy { !$0 || $1 })
        }
        for (scale, cells) in half.editable.enumerated() {
            for cell in cells.indices where !cells[cell] {
                #expect(
                    half.sampling.tokens[0].scales[scale][cell]
                        == half.sourceTokens.scales[scale][cell])
            }
        }
        // Everything drawn anew is what varying from the second map on draws.
        let all = try run(1)
        let varied = try session.edit(request(mode: .vary), control: SamplingControl())
        #expect(all.editable == varied.editable)
        #expect(all.sampling.tokens == varied.sampling.tokens)
    }

    @Test func residualAnchorRequantizesWhatIsMissing() throws {
        let result = try session.edit(request(anchor: .residual), control: SamplingControl())
        let tokens = result.sampling.tokens[0]
        #expect(Array(tokens.scales[..<2][0]) == result.sourceTokens.scales[0])
        // Coarse repainting moves f̂, so some kept cell of a finer map is coded anew.
        #expect(
            zip(result.editable[3].indices, result.editable[3]).contains { cell, isEditable in
                !isEditable && tokens.scales[3][cell] != result.sourceTokens.scales[3][cell]
            })
    }

    @Test func pasteBackLeavesFarPixelsUntouched() throws {
        let result = try session.edit(
            request { $0.pasteBack = true }, control: SamplingControl())
        let image = result.sampling.images[0]
        for y in stride(from: 0, to: 64, by: 9) {
            #expect(image[63, y] == source[63, y])
        }
        let plain = try session.edit(request(), control: SamplingControl()).sampling.images[0]
        #expect(image != plain)
    }

    @Test func wrongEditsAreRefused() throws {
        #expect(throws: SamplingError.nothingToRepaint) {
            try session.edit(
                request { $0.mask = PixelMask(width: 64, height: 64) },
                control: SamplingControl())
        }
        #expect(throws: SamplingError.self) {
            try session.edit(
                request { $0.mask = PixelMask(width: 32, height: 32) },
                control: SamplingControl())
        }
        #expect(throws: SamplingError.self) {
            try session.edit(request { $0.maskSteps = [1] }, control: SamplingControl())
        }
        #expect(throws: SamplingError.self) {
            try session.edit(
                request(mode: .classEdit) { $0.sampling.classLabel = nil },
                control: SamplingControl())
        }
        #expect(throws: SamplingError.self) {
            try session.edit(request { $0.sampling.variant = .var }, control: SamplingControl())
        }
    }
}

// Back-pressure, steps, and terminals without fences.
// SPDX-License-Identifier: Apache-2.0
import Testing
import Views

@Suite("Picture fence")
struct PictureFenceTests {
    private func flight(_ fence: inout PictureFence, at start: Double, seconds: Double) {
        fence.sent(bytes: 100_000, now: start)
        fence.written(now: start)
        fence.answered(now: start + seconds)
    }

    @Test("One picture in flight, two batches of tiles")
    func inFlight() {
        var fence = PictureFence()
        #expect(fence.canSend(now: 0, tilesOnly: false))
        fence.sent(bytes: 100_000, now: 0)
        #expect(!fence.canSend(now: 0, tilesOnly: true))
        fence.answered(now: 0.05)
        fence.sent(bytes: 1000, now: 0.1)
        #expect(fence.canSend(now: 0.1, tilesOnly: true))
        #expect(!fence.canSend(now: 0.1, tilesOnly: false))
        fence.sent(bytes: 1000, now: 0.1)
        #expect(!fence.canSend(now: 0.1, tilesOnly: true))
    }

    @Test("Three slow pictures step down, ten quick ones step up")
    func levels() {
        var fence = PictureFence()
        for i in 0..<3 { flight(&fence, at: Double(i), seconds: 0.2) }
        #expect(fence.level == .fixedPalette)
        for i in 0..<9 { flight(&fence, at: Double(i), seconds: 0.2) }
        #expect(fence.level == .reduced)
        for i in 0..<9 { flight(&fence, at: Double(i), seconds: 0.01) }
        #expect(fence.level == .reduced)
        flight(&fence, at: 20, seconds: 0.01)
        #expect(fence.level == .fixedPalette)
    }

    @Test("Without an answer in two seconds pictures go five times a second, until one comes")
    func fenceless() {
        var fence = PictureFence()
        fence.sent(bytes: 100_000, now: 0)
        // Bytes that still wait for the line are no missing answer.
        fence.tick(now: 5)
        #expect(!fence.isFenceless && fence.deadline == nil)
        fence.written(now: 5)
        #expect(fence.deadline == 7)
        fence.tick(now: 7)
        #expect(fence.isFenceless)
        #expect(fence.canSend(now: 7, tilesOnly: false))
        fence.sent(bytes: 100_000, now: 7)
        #expect(!fence.canSend(now: 7.1, tilesOnly: false))
        #expect(fence.canSend(now: 7.21, tilesOnly: false))
        fence.answered(now: 8)
        #expect(!fence.isFenceless)
    }

    @Test("The rate is told by text before the first picture, less the way there and back")
    func rate() {
        var fence = PictureFence()
        fence.answered(after: 0.06)
        #expect(fence.needsAnswer(toText: 8000) && !fence.needsAnswer(toText: 100))
        fence.sent(bytes: 8000, now: 0, isText: true)
        #expect(!fence.canSend(now: 0, tilesOnly: true))
        // Eight kilobytes in five milliseconds, from a terminal that is far away.
        fence.answered(now: 0.065)
        #expect(!fence.isSlow && fence.canCompose)
        #expect(!fence.needsAnswer(toText: 8000))
        // The same line clogged: 20 kB a second.
        fence.sent(bytes: 8000, now: 1)
        fence.answered(now: 1.46)
        #expect(fence.isSlow && fence.budget == 800)
        #expect(abs((fence.throughput ?? 0) - 20_000) < 1)
        #expect(fence.needsAnswer(toText: 300))
        fence.sent(bytes: 1024, now: 2)
        #expect(!fence.canSend(now: 2, tilesOnly: true))
        // A line that is quick again is believed step by step.
        for expected in [40_000.0, 80_000, 160_000, 320_000] {
            fence.answered(now: 2.001)
            #expect(abs((fence.throughput ?? 0) / expected - 1) < 0.01)
            fence.sent(bytes: 1024, now: 2)
        }
        #expect(!fence.isSlow)
    }
}

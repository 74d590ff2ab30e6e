// VAR and HMAR against values of the reference implementation.
// SPDX-License-Identifier: Apache-2.0
import Core
import TestSupport
import Testing

@testable import Models

func fixtureArchive(_ name: String) throws -> TensorArchive {
    try TensorArchive.open(path: Fixture.path("hmar/" + name))
}

/// Keeps what a generation did, in order.
final class RecordingObserver: GenerationObserver {
    var logits: [[Float]] = []
    var codes: [[Int32]] = []
    var confidences: [[[Float]]] = []
    var orders: [[[Int]]] = []
    var tokens: [[Int32]] = []
    var fhat: [Tensor] = []
    var passes: [(scale: Int, step: Int, completes: Bool)] = []
    var grids: [TokenGrid] = []
    var rowChange: (scale: Int, row: [Int])?
    let wantsGrids = true

    func row(scale: Int, proposed: [Int]) -> [Int] {
        if let change = rowChange, change.scale == scale { return change.row }
        return proposed
    }
    func sampled(call: Int, table: LogitTable, codes: [Int32]) {
        logits.append(table.raw)
        self.codes.append(codes)
    }
    func sorted(confidences: [[Float]], orders: [[Int]]) {
        self.confidences.append(confidences)
        self.orders.append(orders)
    }
    func pass(_ pass: GenerationPass) {
        passes.append((pass.scale, pass.step, pass.completesScale))
        grids.append(pass.state.grid(side: Int(Double(pass.state.count).squareRoot())))
    }
    func finished(_ state: ScaleState, row: [Int], fhat: Tensor) {
        tokens.append(state.tokens)
        self.fhat.append(fhat)
    }
}

@Suite struct TransformerParityTests {
    let tokenizer: VQVAE
    let teacher: [String: Tensor]

    init() throws {
        tokenizer = try fixtureTokenizer()
        teacher = try Fixture.tensors("hmar/tiny_teacher_io.safetensors")
    }

    @Test func phaseOneLogitsAndLoss() throws {
        let network = try NextScaleTransformer(
            archive: fixtureArchive("tiny_nsp.safetensors"), kind: .nextScale)
        #expect(network.attention == .blockDiagonal)
        #expect(network.configuration.depth == 4 && network.configuration.heads == 4)
        let tokens = try teacher.required("gt_idx")
        let input = tokenizer.quantizer.nextScaleInput(tokenizer.quantizer.split(tokens))
        let logits = network.logits(
            labels: try teacher.required("label").int32s(), nextScaleInput: input)
        expectClose(logits, try teacher.required("nsp.logits").floats(), absolute: 1e-4)
        let result = NextScaleLoss(
            logits: logits, tokens: tokens,
            weights: LossWeighting.lognorm.tokenWeights(patchNums: [1, 2, 3, 4]))
        expectClose(
            result.crossEntropies, try teacher.required("nsp.ce").floats(), absolute: 1e-4)
        expectClose(
            [result.loss.item()], try teacher.required("nsp.loss_lognorm").floats(), absolute: 0,
            relative: 1e-5)
    }

    @Test func lossWeights() throws {
        expectClose(
            LossWeighting.lognorm.tokenWeights(patchNums: [1, 2, 3, 4]),
            try teacher.required("loss_weight.lognorm").floats(), absolute: 1e-7)
        expectClose(
            LossWeighting.equal.tokenWeights(patchNums: [1, 2, 3, 4]),
            try teacher.required("loss_weight.equal").floats(), absolute: 1e-7)
        let published = LossWeighting.logNormal(
            TransformerConfiguration.published256(depth: 16).patchNums)
        let stated = [
            0.024678, 0.064157, 0.114952, 0.137896, 0.140197, 0.132858, 0.120802, 0.105389,
            0.088218, 0.070853,
        ]
        for (a, b) in zip(published, stated) { #expect(abs(a - b) < 1e-6) }
        let uniform = LossWeighting.uniform.tokenWeights(patchNums: [1, 2, 3])
        #expect(uniform.allSatisfy { abs($0 - 1 / 14) < 1e-7 })
    }

    @Test func varLogits() throws {
        let stored = try Fixture.tensors("hmar/tiny_var_io_greedy.safetensors")
        let model = try VAR(archive: fixtureArchive("tiny_var.safetensors"))
        let tokens = try teacher.required("gt_idx")
        let input = tokenizer.quantizer.nextScaleInput(tokenizer.quantizer.split(tokens))
        expectClose(
            model.network.logits(
                labels: try teacher.required("label").int32s(), nextScaleInput: input),
            try stored.required("var.logits").floats(), absolute: 1e-4)
    }

    @Test func varGenerationWithCache() throws {
        let stored = try Fixture.tensors("hmar/tiny_var_io_greedy.safetensors")
        let model = try VAR(archive: fixtureArchive("tiny_var.safetensors"))
        let predictor = VARPredictor(
            model.network, labels: try stored.required("label").int32s(), cfg: 1.5)
        let observer = RecordingObserver()
        var generation = ScaleGeneration(
            plan: .init(
                batch: 2, rows: [[1], [4], [9], [16]], topK: try TopK(0), topP: try TopP(0),
                refines: false), predictor: predictor, quantizer: tokenizer.quantizer,
            sampler: Greedy(), observer: observer)
        let outcome = try generation.run()
        for call in 0..<4 {
            expectClose(
                observer.logits[call],
                try stored.required("var_greedy.call0\(call).logits").floats(), absolute: 1e-4)
            #expect(
                try observer.codes[call]
                    == stored.required("var_greedy.call0\(call).sampled").int32s())
            expectClose(
                observer.fhat[call],
                try stored.required("var_greedy.scale\(call).fhat").floats(), absolute: 1e-4)
        }
        // Two halves of two pictures, three blocks, keys and values of 30 tokens of width 64.
        #expect(outcome.cacheBytes == 4 * 3 * 2 * 30 * 64 * 4)
        let image = (tokenizer.decode(outcome.fhat) + 1) * 0.5
        expectClose(
            image, try stored.required("var_greedy.image").floats(), absolute: 5e-5)
    }

    @Test(arguments: ["tiny_hmar.safetensors", "tiny_hmar.pth"])
    func hmarGeneration(file: String) throws {
        let stored = try Fixture.tensors("hmar/tiny_hmar_gen_s1.safetensors")
        func value(_ name: String) throws -> Tensor {
            try stored.required("greedy_raw_s1." + name)
        }
        let model = try HMAR(archive: fixtureArchive(file))
        let observer = RecordingObserver()
        let outcome = try generate(model, mode: .exact, observer: observer)
        #expect(outcome.passCount == 10)
        for call in 0..<10 {
            expectClose(
                observer.logits[call], try value("call0\(call).logits").floats(), absolute: 1e-4)
            #expect(try observer.codes[call] == value("call0\(call).sampled").int32s())
        }
        for sort in 0..<6 {
            expectClose(
                observer.confidences[sort].flatMap { $0 }, try value("conf0\(sort)").floats(),
                absolute: 1e-5)
            #expect(
                try observer.orders[sort].flatMap { $0 }
                    == value("order0\(sort)").int32s().map(Int.init))
        }
        for scale in 0..<4 {
            #expect(try observer.tokens[scale] == value("scale\(scale).tokens").int32s())
            expectClose(
                observer.fhat[scale], try value("scale\(scale).fhat").floats(), absolute: 1e-4)
        }
        let image = (tokenizer.decode(outcome.fhat) + 1) * 0.5
        expectClose(image, try value("image").floats(), absolute: 5e-5)
        #expect(outcome.cacheBytes == 0)
    }

    @Test func fastModeDrawsTheSameTokens() throws {
        let model = try HMAR(archive: fixtureArchive("tiny_hmar.safetensors"))
        let (exact, fast) = (RecordingObserver(), RecordingObserver())
        let a = try generate(model, mode: .exact, observer: exact)
        let b = try generate(model, mode: .fast, observer: fast)
        #expect(a.tokens == b.tokens)
        for (x, y) in zip(exact.logits, fast.logits) {
            expectClose(y, x, absolute: 2e-4, "guidance of 1e-6 in mask steps")
        }
    }

    /// The run of the stored generation: labels 3 and 7, cfg 1.5, likeliest codes, no filter.
    func generate(
        _ model: HMAR, mode: ComputeMode, observer: any GenerationObserver,
        rows: [[Int]] = [[1], [1, 3], [1, 1, 2, 5], [4, 5, 7]], refines: Bool = true
    ) throws -> ScaleGeneration.Outcome {
        let predictor = HMARPredictor(
            model, labels: [3, 7], cfg: 1.5, mode: mode, refines: refines)
        var generation = ScaleGeneration(
            plan: .init(
                batch: 2, rows: rows, topK: try TopK(0), topP: try TopP(0), refines: refines),
            predictor: predictor, quantizer: tokenizer.quantizer, sampler: Greedy(),
            observer: observer)
        return try generation.run()
    }

    // MARK: Schedules

    @Test func anyScheduleRunsWithItsOwnPassCount() throws {
        let model = try HMAR(archive: fixtureArchive("tiny_hmar.safetensors"))
        let all = [Int](repeating: 1, count: 16)
        for rows in [
            [[1], [2, 2], [9], all], [[1], [1, 1, 1, 1], [4, 5], [16]], [[1], [4], [9], [16]],
        ] {
            let observer = RecordingObserver()
            let outcome = try generate(model, mode: .fast, observer: observer, rows: rows)
            #expect(outcome.passCount == rows.reduce(0) { $0 + $1.count })
            #expect(observer.codes.count == outcome.passCount)
            #expect(observer.passes.filter(\.completes).count == 4)
        }
        let single = try generate(
            model, mode: .fast, observer: RecordingObserver(), refines: false)
        #expect(single.passCount == 4)
    }

    @Test func aRowChangedOnTheWayIsRunAndAWrongOneRefused() throws {
        let model = try HMAR(archive: fixtureArchive("tiny_hmar.safetensors"))
        let observer = RecordingObserver()
        observer.rowChange = (3, [8, 8])
        let outcome = try generate(model, mode: .fast, observer: observer)
        #expect(outcome.rows == [[1], [1, 3], [1, 1, 2, 5], [8, 8]])
        #expect(outcome.passCount == 9)
        // Scales before the change are those of the unchanged run.
        let plain = try generate(model, mode: .fast, observer: RecordingObserver())
        #expect(Array(outcome.tokens[..<3]) == Array(plain.tokens[..<3]))
        let wrong = RecordingObserver()
        wrong.rowChange = (2, [4, 4])
        #expect(throws: ScheduleError.wrongSum(scale: 2, side: 3, expected: 9, found: 8)) {
            try generate(model, mode: .fast, observer: wrong)
        }
    }

    @Test func originsTellWhichPassFixedAToken() throws {
        let model = try HMAR(archive: fixtureArchive("tiny_hmar.safetensors"))
        let observer = RecordingObserver()
        _ = try generate(model, mode: .fast, observer: observer)
        let last = try #require(observer.grids.last)
        let counts = Dictionary(grouping: last.origin) { "\($0)" }.mapValues(\.count)
        #expect(counts == ["nextScale": 4, "maskStep(1)": 5, "maskStep(2)": 7])
        #expect(last.candidates.allSatisfy { $0.count == 10 })
        // Likeliest codes are drawn, so the first candidate is the token.
        #expect(zip(last.candidates, last.tokens).allSatisfy { $0.first?.code == $1 })
        let middle = observer.grids[7]
        #expect(middle.origin.filter { $0 == .pending }.count == 12)
    }

    // MARK: Structure

    @Test func scalesAreIndependentBitForBit() throws {
        let network = try NextScaleTransformer(
            archive: fixtureArchive("tiny_nsp.safetensors"), kind: .nextScale)
        let tokens = try teacher.required("gt_idx")
        let input = tokenizer.quantizer.nextScaleInput(tokenizer.quantizer.split(tokens))
        let plain = network.logits(labels: [3, 7], nextScaleInput: input).floats()
        // Rows 4…12 of the input, counted without the start token, are the 3×3 map.
        var values = input.floats()
        for row in [4, 8, 12] {
            for j in 0..<8 { values[row * 8 + j] += 0.5 }
        }
        let moved = network.logits(
            labels: [3, 7], nextScaleInput: Tensor(values, shape: input.shape)
        ).floats()
        for position in 0..<30 {
            let range = (position * 128)..<((position + 1) * 128)
            let same = plain[range] == moved[range]
            #expect(same == !(5..<14).contains(position), "position \(position)")
        }
        // The second picture was not touched.
        #expect(plain[(30 * 128)...] == moved[(30 * 128)...])
    }

    @Test func trainingForwardEqualsInferencePerScale() throws {
        let model = try HMAR(archive: fixtureArchive("tiny_hmar.safetensors"))
        let tokens = tokenizer.quantizer.split(try teacher.required("gt_idx"))
        let all = model.nextScaleLogits(
            labels: [3, 7], nextScaleInput: tokenizer.quantizer.nextScaleInput(tokens))
        let predictor = HMARPredictor(
            model, labels: [3, 7], cfg: 0, mode: .fast, refines: true)
        var start = 0
        for scale in 0..<4 {
            let count = model.configuration.tokenCounts[scale]
            let context =
                scale == 0
                ? nil
                : Quantizer.rows(
                    tokenizer.quantizer.down(
                        tokenizer.quantizer.accumulated(tokens, throughScale: scale - 1),
                        scale: scale))
            let logits = try predictor.nextScaleLogits(scale: scale, context: context) {}
            expectClose(
                logits, all.narrowed(axis: 1, start: start, length: count).floats(),
                absolute: 1e-5, "scale \(scale)")
            start += count
        }
    }

    @Test func maskTowerIsAnotherNetworkThatSeesItsOwnMap() throws {
        let model = try HMAR(archive: fixtureArchive("tiny_hmar.safetensors"))
        let quantizer = tokenizer.quantizer
        let tokens = quantizer.split(try teacher.required("gt_idx"))
        let input = quantizer.nextScaleInput(tokens)
        let flags = (0..<29).map { $0 % 3 == 0 }
        let own = quantizer.maskInput(tokens).leaf()
        let logits = model.maskedLogits(
            labels: [3, 7], nextScaleInput: input, maskInput: own, masked: flags)
        // Position 13 is the first of the 4×4 map; only rows 13…28 of its own map reach it.
        let one = logits.narrowed(axis: 1, start: 14, length: 1).square().sum()
        let gradient = try #require(one.backward()[own]).floats()
        for row in 0..<29 {
            let size = gradient[(row * 8)..<(row * 8 + 8)].map { abs($0) }.max() ?? 0
            let seen = row >= 13 && !flags[row]
            #expect((size > 0) == seen, "row \(row)")
        }
        // With the next-scale tower's weights in its place the answer is another.
        let next = model.nextScaleLogits(labels: [3, 7], nextScaleInput: input)
        let difference = zip(next.floats(), logits.floats()).map { abs($0 - $1) }.max() ?? 0
        #expect(difference > 0.01)
    }
}

// The self-test's comparison of a GPU with the CPU, operator by operator.
// SPDX-License-Identifier: Apache-2.0
import Core

extension SelfCheck {
    /// Every operator's value and gradients, every kernel without gradients, five steps of training.
    static func device(_ device: any Device) -> [SelfCheck] {
        var checks: [SelfCheck] = []
        let precisions: [CUDADevice.Precision] =
            device is CUDADevice ? [.float32, .bfloat16] : [.float32]
        for precision in precisions {
            for row in tensorOperators + networkOperators + tiledOperators {
                // Only products read their operands in another precision.
                if precision == .bfloat16, !isProduct(row) { continue }
                checks.append(
                    SelfCheck(name: "\(precision.rawValue) \(row.name) \(row.shapes)") {
                        try onDevice(device, precision) { try compare(row, on: device) }
                    })
            }
        }
        for kernel in plainKernels {
            checks.append(
                SelfCheck(name: "float32 \(kernel.name)") {
                    try onDevice(device, .float32) { try compare(kernel, on: device) }
                })
        }
        if let gpu = device as? CUDADevice {
            checks.append(SelfCheck(name: "graph of a pass") { try compareGraph(on: gpu) })
        }
        checks += passes(device)
        checks += featureMaps(device)
        checks += sampling(device)
        for precision in precisions {
            checks.append(
                SelfCheck(name: "\(precision.rawValue) five steps of training") {
                    try onDevice(device, precision) { try compareTraining(on: device) }
                })
        }
        return checks
    }

    /// Whether products are taken in float32.
    static func isExact(_ device: any Device) -> Bool {
        (device as? CUDADevice)?.precision != .bfloat16
    }

    private static func isProduct(_ row: Operator) -> Bool {
        ["linear", "matmul", "convolution2D", "attention", "feedForward"]
            .contains { row.name.hasPrefix($0) }
    }

    static func onDevice(
        _ device: any Device, _ precision: CUDADevice.Precision, _ body: () throws -> String
    ) throws -> String {
        let gpu = device as? CUDADevice
        let before = gpu?.precision
        gpu?.precision = precision
        defer { if let before { gpu?.precision = before } }
        let result = Result { try body() }
        // A failure of the device explains more than the wrong numbers that followed from it.
        try device.throwPendingError()
        return try result.get()
    }

    // MARK: Operators

    /// Largest difference over the largest value, of the value and of each gradient.
    private static func compare(_ row: Operator, on device: any Device) throws -> String {
        var generator = RandomGenerator(seed: 23)
        let inputs = row.shapes.map { shape in
            (
                shape,
                (0..<shape.reduce(1, *)).map { _ in row.offset + 0.5 * Float(generator.nextNormal())
                }
            )
        }
        func evaluate() -> [[Float]] {
            let leaves = inputs.map { Tensor($0.1, shape: $0.0).leaf() }
            let y = row.function(leaves)
            var own = RandomGenerator(seed: 29)
            let weights = Tensor.normal(y.shape, generator: &own)
            let gradients = (y * weights).sum().backward()
            return [y.floats()] + leaves.map { gradients[$0]?.floats() ?? [] }
        }
        let expected = withDevice(CPUDevice.shared) { evaluate() }
        let found = withDevice(device) { evaluate() }
        try device.throwPendingError()
        let limit: Float = isExact(device) ? 2e-4 : 3e-2
        return try describe(found, expected, limit: limit)
    }

    static func describe(
        _ found: [[Float]], _ expected: [[Float]], limit: Float
    ) throws -> String {
        var errors: [String] = []
        var isWrong = false
        for (position, (a, b)) in zip(found, expected).enumerated() {
            let scale = max(b.map(abs).max() ?? 0, 1e-3)
            var (worst, place) = (Float(0), 0)
            for i in b.indices {
                let difference = i < a.count ? abs(a[i] - b[i]) / scale : .infinity
                // NaN compares false with everything: it counts as infinitely wrong.
                if !(difference <= worst) {
                    if difference.isNaN && a[i].isNaN && b[i].isNaN { continue }
                    if a[i] == b[i] { continue }
                    (worst, place) = (difference.isNaN ? .infinity : difference, i)
                }
            }
            var text = position == 0 ? "value \(worst)" : "gradient \(position - 1) \(worst)"
            if !(worst <= limit), b.indices.contains(place) {
                isWrong = true
                let got = place < a.count ? "\(a[place])" : "nothing"
                text += " (at \(place) of \(b.count): \(got), the CPU \(b[place]))"
            }
            errors.append(text)
        }
        let sentence = errors.joined(separator: ", ")
        try require(!isWrong && found.count == expected.count, sentence)
        return sentence
    }

    /// Shapes that cross the kernels' tiles, blocks and vector widths.
    private static var tiledOperators: [Operator] {
        [
            Operator("linear", [257, 96], [130, 96], [130]) { linear($0[0], $0[1], $0[2]) },
            Operator("linear", [680, 128], [384, 128], [384]) { linear($0[0], $0[1], $0[2]) },
            Operator("linear, one row", [1, 64], [48, 64]) { linear($0[0], $0[1]) },
            Operator("matmul, broadcast", [3, 1, 33, 40], [2, 40, 17]) { matmul($0[0], $0[1]) },
            Operator("matmul, transposed", [4, 65, 31], [4, 65, 29]) {
                matmul($0[0].transposed(), $0[1])
            },
            Operator("sum, long row", [3, 40_000]) { $0[0].sum(axes: [1]) },
            Operator("sum, all", [70, 1_500]) { $0[0].mean() },
            Operator("sum, columns", [3_000, 70]) { $0[0].sum(axes: [0]) },
            Operator("sum, middle", [5, 300, 24]) { $0[0].sum(axes: [1]) },
            Operator("sum, narrow middle", [50, 30, 3]) { $0[0].sum(axes: [1]) },
            Operator("max, long row", [9, 4_096]) { $0[0].max(axis: 1) },
            Operator("max, middle", [4, 50, 7]) { $0[0].max(axis: 1) },
            Operator("add, broadcast rows", [64, 130], [130]) { $0[0] + $0[1] },
            Operator("multiply, broadcast columns", [64, 130], [64, 1]) { $0[0] * $0[1] },
            Operator("permuted", [5, 33, 4, 8]) { $0[0].permuted([0, 2, 1, 3]).contiguous() },
            Operator("transposed", [3, 70, 90]) { $0[0].transposed().contiguous() },
            Operator("geluTanh", [1_001]) { $0[0].geluTanh() },
            Operator("convolution2D", [2, 32, 16, 16], [48, 32, 3, 3], [48]) {
                convolution2D($0[0], weight: $0[1], bias: $0[2], padding: .same(1))
            },
            Operator("convolution2D, 1×1", [3, 33, 9, 7], [20, 33, 1, 1], [20]) {
                convolution2D($0[0], weight: $0[1], bias: $0[2])
            },
            Operator("convolution2D, down", [2, 32, 16, 16], [32, 32, 3, 3], [32]) {
                convolution2D(
                    $0[0], weight: $0[1], bias: $0[2], stride: 2,
                    padding: Padding2D(bottom: 1, right: 1))
            },
            Operator("convolution2D, from colours", [2, 3, 32, 32], [32, 3, 3, 3], [32]) {
                convolution2D($0[0], weight: $0[1], bias: $0[2], padding: .same(1))
            },
            Operator("groupNorm", [2, 64, 12, 12], [64], [64]) {
                groupNorm($0[0], groups: 32, weight: $0[1], bias: $0[2])
            },
            Operator("groupNorm, SiLU", [3, 64, 9, 9], [64], [64]) {
                groupNorm($0[0], groups: 8, weight: $0[1], bias: $0[2], activation: .silu)
            },
            Operator("layerNorm", [77, 384], [384], [384]) {
                layerNorm($0[0], weight: $0[1], bias: $0[2])
            },
            Operator("modulatedLayerNorm", [3, 170, 256], [3, 1, 256], [3, 1, 256]) {
                modulatedLayerNorm($0[0], scale: $0[1], shift: $0[2])
            },
            Operator("gatedResidual", [3, 170, 256], [3, 170, 256], [3, 1, 256]) {
                gatedResidual($0[0], $0[1], gate: $0[2])
            },
            Operator("l2Normalized", [700, 64], offset: 1) { l2Normalized($0[0]) },
            Operator("softmax", [37, 1_000]) { softmax($0[0]) },
            Operator("logSoftmax", [37, 4_096]) { logSoftmax($0[0]) },
            Operator("crossEntropy", [50, 4_096]) {
                crossEntropy(
                    $0[0], targets: Tensor(int32: (0..<50).map { $0 * 81 }, shape: [50]))
            },
            attentionRow(heads: 3, queries: 130, keys: 200, size: 64, .full),
            attentionRow(heads: 2, queries: 680, keys: 680, size: 32, .blockDiagonal(scales)),
            attentionRow(heads: 2, queries: 680, keys: 680, size: 64, .blockDiagonal(scales)),
            attentionRow(heads: 2, queries: 680, keys: 680, size: 64, .blockCausal(scales)),
            attentionRow(heads: 2, queries: 100, keys: 100, size: 32, .causal),
            attentionRow(heads: 3, queries: 91, keys: 91, size: 64, .causal),
            attentionRow(heads: 2, queries: 77, keys: 130, size: 128, .full),
            attentionRow(
                heads: 1, queries: 2100, keys: 2100, size: 32,
                .blockDiagonal([300, 1, 1799])),
            Operator("feedForward", [3, 57, 64], [256, 64], [256], [48, 256], [48]) {
                feedForward($0[0], $0[1], $0[2], $0[3], $0[4])
            },
            Operator("linear, crossEntropy", [130, 64], [1_024, 64], [1_024]) {
                crossEntropy(
                    linear($0[0], $0[1], $0[2], as: .operand),
                    targets: Tensor(int32: (0..<130).map { $0 * 7 }, shape: [130]))
            },
            Operator("attention, a wide head", [2, 1, 33, 320], [2, 1, 40, 320], [2, 1, 40, 320]) {
                attention($0[0], $0[1], $0[2], scale: 0.05)
            },
            Operator(
                "attention, a head of 160", [3, 1, 33, 160], [3, 1, 40, 160], [3, 1, 40, 160]
            ) {
                attention($0[0], $0[1], $0[2], scale: 0.08)
            },
            Operator("convolution2D, wide", [2, 160, 17, 12], [168, 160, 3, 3], [168]) {
                convolution2D($0[0], weight: $0[1], bias: $0[2], padding: .same(1))
            },
            Operator("convolution2D, uneven padding", [3, 64, 10, 7], [40, 64, 3, 2], [40]) {
                convolution2D(
                    $0[0], weight: $0[1], bias: $0[2],
                    padding: Padding2D(top: 0, bottom: 2, left: 1, right: 0))
            },
            attentionBlock,
            cosineRow(heads: 5, size: 64, .blockDiagonal(scales)),
            cosineRow(heads: 2, size: 32, .blockCausal(scales)),
            // Of many keys with heads of 64: the kernels of warpgroup products, if the GPU has them.
            cosineRow(heads: 3, size: 64, .blockCausal(scales)),
            cosineRow(heads: 2, size: 64, .blockDiagonal([300, 4, 376])),
            attentionRow(heads: 3, queries: 340, keys: 395, size: 64, .full),
            attentionRow(
                heads: 2, queries: 592, keys: 592, size: 64, .blockCausal([1, 190, 400, 1])),
            Operator("attention, packed", [2, 70, 3, 4, 32]) {
                let parts = $0[0].split(axis: 2, sizes: [1, 1, 1])
                    .map { $0.squeezed(2).transposed(1, 2) }
                return attention(parts[0], parts[1], parts[2], scale: 0.2)
                    .transposed(1, 2).reshaped([2, 70, 128])
            },
            Operator("embedding", [300, 40]) {
                embedding(
                    $0[0], indices: Tensor(int32: (0..<500).map { $0 * 7 % 300 }, shape: [5, 100]))
            },
            Operator("resized, bicubic", [2, 8, 5, 5]) {
                resized($0[0], to: (16, 16), method: .bicubic)
            },
            Operator("resized, area", [2, 8, 16, 16]) {
                resized($0[0], to: (5, 5), method: .area)
            },
            Operator("upsampledNearest2x", [2, 8, 9, 13]) { upsampledNearest2x($0[0]) },
            Operator("averagePool2D", [2, 4, 12, 12]) { averagePool2D($0[0], size: 3, stride: 2) },
            Operator("maxPool2D", [2, 4, 12, 12]) { maxPool2D($0[0], size: 2) },
        ]
    }

    private static let scales = [1, 4, 9, 16, 25, 36, 64, 100, 169, 256]

    private static func attentionRow(
        heads: Int, queries: Int, keys: Int, size: Int, _ mask: AttentionMask
    ) -> Operator {
        Operator(
            "attention, \(mask)".split(separator: "(").first.map(String.init) ?? "attention",
            [2, heads, queries, size], [2, heads, keys, size], [2, heads, keys, size]
        ) { attention($0[0], $0[1], $0[2], scale: 0.25, mask: mask) }
    }

    /// What a transformer block does around its attention, its branch in the type of products.
    private static var attentionBlock: Operator {
        Operator(
            "attention block", [2, 91, 128], [2, 6, 128], [384, 128], [384], [128, 128], [128]
        ) { inputs in
            let modulation = inputs[1].split(axis: 1, sizes: [1, 1, 1, 1, 1, 1])
            let normed = modulatedLayerNorm(
                inputs[0], scale: modulation[2], shift: modulation[4], as: .operand)
            let qkv = linear(normed, inputs[2], inputs[3], as: .operand)
                .reshaped([2, 91, 3, 2, 64])
            let mixed = cosineAttention(
                qkv, scale: Tensor([3, 5], shape: [2]),
                mask: .blockDiagonal(Array(scales.prefix(6)))
            ).reshaped([2, 91, 128])
            return gatedResidual(
                inputs[0], linear(mixed, inputs[4], inputs[5], as: .operand), gate: modulation[0])
        }
    }

    private static func cosineRow(heads: Int, size: Int, _ mask: AttentionMask) -> Operator {
        Operator("attention by cosine", [2, 680, 3, heads, size], [heads], offset: 0.1) {
            cosineAttention($0[0], scale: $0[1] + 4, mask: mask).cast(to: .float32)
        }
    }

    /// A captured pass, replayed on two inputs, against the same work done at once.
    private static func compareGraph(on device: CUDADevice) throws -> String {
        try withDevice(device) {
            let weight = random([96, 64], seed: 3)
            let input = random([40, 64]).copied()
            func pass() -> Tensor {
                let bias = Tensor((0..<96).map { Float($0) }, shape: [96])
                return linear(linear(input, weight, bias).geluTanh(), weight.transposed())
            }
            _ = pass().floats()
            let (graph, output) = try CUDAGraph.capture(on: device) { pass() }
            var remarks: [String] = []
            for seed in [UInt64(5), 6] {
                device.copy(random([40, 64], seed: seed), into: input)
                graph.replay()
                let found = output.floats()
                remarks.append(try describe([found], [pass().floats()], limit: 1e-6))
            }
            try device.throwPendingError()
            return remarks.joined(separator: "; ")
        }
    }

    // MARK: Kernels without gradients

    private struct Plain {
        var name: String
        /// Values that must agree to rounding.
        var values: () -> [Float]
    }

    private static func compare(_ kernel: Plain, on device: any Device) throws -> String {
        let expected = withDevice(CPUDevice.shared) { kernel.values() }
        let found = withDevice(device) { kernel.values() }
        try device.throwPendingError()
        return try describe([found], [expected], limit: 1e-5)
    }

    static func random(_ shape: [Int], seed: UInt64 = 31) -> Tensor {
        var generator = RandomGenerator(seed: seed)
        return .normal(shape, generator: &generator)
    }

    private static var plainKernels: [Plain] {
        func integers(_ tensor: Tensor) -> [Float] { tensor.int32s().map { Float($0) } }
        return [
            Plain(name: "zeros and full") {
                Tensor.zeros([33]).floats() + Tensor.full([70], 1.5).floats()
            },
            Plain(name: "argmax") { integers(random([40, 1_000]).argmax(axis: 1)) },
            Plain(name: "argmax, middle") { integers(random([4, 90, 6]).argmax(axis: 1)) },
            Plain(name: "argsort") { integers(argsort(random([6, 1_000]))) },
            Plain(name: "argsort, descending") {
                integers(argsort(random([3, 4_096]), descending: true))
            },
            Plain(name: "argsort, ties") {
                integers(argsort((random([3, 70]) * 2).cast(to: .int32).cast(to: .float32)))
            },
            Plain(name: "nearestCodes") {
                integers(nearestCodes(random([500, 32]), codebook: random([1_024, 32], seed: 7)))
            },
            Plain(name: "greater") { random([99]).greater(than: random([99], seed: 5)).floats() },
            Plain(name: "bfloat16 and back") {
                random([1_003]).cast(to: .bfloat16).cast(to: .float32).floats()
            },
            Plain(name: "float16 and back") {
                random([1_003]).cast(to: .float16).cast(to: .float32).floats()
            },
            Plain(name: "integers and back") {
                (random([101]) * 100).cast(to: .int64).cast(to: .uint8).cast(to: .int32)
                    .cast(to: .float32).floats()
            },
            Plain(name: "strided copy of bytes") {
                (random([5, 7, 6]) * 50).cast(to: .uint8).permuted([2, 0, 1]).contiguous()
                    .cast(to: .float32).floats()
            },
            Plain(name: "strided copy of 64-bit integers") {
                (random([5, 7, 6]) * 50).cast(to: .int64).permuted([2, 0, 1]).contiguous()
                    .cast(to: .float32).floats()
            },
            Plain(name: "sumOfSquares") {
                let x = random([123_457])
                let several = currentDevice.sumOfSquares([x, random([31]), random([40_000])])
                return [Float(currentDevice.sumOfSquares(x)), Float(several)]
            },
            Plain(name: "adamW and movingAverage") { optimizerSteps() },
            Plain(name: "upload and download of 20 MB") {
                let values = (0..<5_000_000).map { Float($0 % 1_009) }
                let back = Tensor(values, shape: [values.count]).floats()
                return [back == values ? 1 : 0]
            },
        ]
    }

    private static func optimizerSteps() -> [Float] {
        let parameters = [[300, 77], [20_000], [5]].enumerated().map {
            Parameter(name: "\($0.offset)", value: random($0.element), isTrainable: true)
        }
        var optimizer = AdamW(groups: [
            ParameterGroup([parameters[0]], usesWeightDecay: true),
            ParameterGroup(Array(parameters[1...]), learningRateScale: 0.5, usesWeightDecay: false),
        ])
        var average = ExponentialMovingAverage(parameters, decay: 0.9)
        for _ in 0..<3 {
            let loss = parameters.reduce(Tensor(0)) { $0 + $1.tensor.square().sum() }
            optimizer.step(
                loss.backward(), learningRate: 1e-2, weightDecay: 0.1, gradientScale: 0.5)
            average.update()
        }
        return parameters.flatMap { $0.value.floats() }
            + parameters.flatMap { average.values[$0.name]?.floats() ?? [] }
    }
}

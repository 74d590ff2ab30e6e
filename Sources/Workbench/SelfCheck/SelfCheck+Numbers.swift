// The self-test's number formats and random numbers. SPDX-License-Identifier: Apache-2.0
import Core

extension SelfCheck {
    static var numberFormats: [SelfCheck] {
        [
            SelfCheck(name: "float16 to float32 and back") {
                try roundTrip(.float16) { bits in
                    let exponent = Int(bits >> 10) & 31
                    let fraction = Float(bits & 1023)
                    let sign: Float = bits >> 15 == 1 ? -1 : 1
                    switch exponent {
                    case 0: return sign * fraction * 0x1p-24
                    case 31: return fraction == 0 ? sign * .infinity : .nan
                    default: return sign * (1 + fraction / 1024) * power(of: exponent - 15)
                    }
                }
            },
            SelfCheck(name: "bfloat16 to float32 and back") {
                try roundTrip(.bfloat16) { Float(bitPattern: UInt32($0) << 16) }
            },
            SelfCheck(name: "rounding to float16") {
                // Ties go to the even neighbour; too large becomes infinite; too small becomes 0.
                try rounding(
                    .float16,
                    [
                        (1 + 0x1p-11, 1), (1 + 3 * 0x1p-11, 1 + 0x1p-9), (65_519, 65_504),
                        (65_520, .infinity), (0x1p-25, 0), (0x1.8p-24, 0x1p-23), (-2.5, -2.5),
                    ])
            },
            SelfCheck(name: "rounding to bfloat16") {
                try rounding(
                    .bfloat16,
                    [
                        (1 + 0x1p-8, 1), (1 + 3 * 0x1p-8, 1 + 0x1p-6), (3.4e38, .infinity),
                        (-2.5, -2.5), (1 + 0x1.1p-8, 1 + 0x1p-7),
                    ])
            },
        ]
    }

    private static func power(of exponent: Int) -> Float {
        Float(sign: .plus, exponent: exponent, significand: 1)
    }

    /// Widens all 65,536 values, compares with a formula, narrows them again.
    private static func roundTrip(_ dtype: DType, formula: (UInt16) -> Float) throws -> String {
        let bits = (0...UInt16.max).map { $0 }
        let narrow = tensor(bits, dtype)
        let wide = narrow.cast(to: .float32)
        for (pattern, value) in zip(bits, wide.floats()) {
            let expected = formula(pattern)
            try require(
                value == expected || (value.isNaN && expected.isNaN),
                "pattern \(String(pattern, radix: 16)) is read as \(value), not \(expected).")
        }
        let again = patterns(wide.cast(to: dtype))
        for (pattern, found) in zip(bits, again) where !formula(pattern).isNaN {
            try require(
                pattern == found,
                "pattern \(String(pattern, radix: 16)) came back as \(String(found, radix: 16)).")
        }
        return "65536 values"
    }

    private static func rounding(_ dtype: DType, _ rows: [(Float, Float)]) throws -> String {
        let values = Tensor(rows.map(\.0), shape: [rows.count])
        let found = values.cast(to: dtype).cast(to: .float32).floats()
        for (row, value) in zip(rows, found) {
            try require(value == row.1, "\(row.0) became \(value), not \(row.1).")
        }
        return ""
    }

    private static func tensor(_ bits: [UInt16], _ dtype: DType) -> Tensor {
        let storage = CPUDevice.shared.allocate(byteCount: 2 * bits.count)
        bits.withUnsafeBytes { CPUDevice.shared.upload($0, to: storage) }
        return Tensor(storage: storage, dtype: dtype, shape: [bits.count])
    }

    private static func patterns(_ tensor: Tensor) -> [UInt16] {
        var bits = [UInt16](repeating: 0, count: tensor.count)
        bits.withUnsafeMutableBytes { tensor.device.download(tensor, into: $0) }
        return bits
    }

    // MARK: Random numbers

    static var randomNumbers: [SelfCheck] {
        [
            SelfCheck(name: "random numbers: published answer") {
                // Random123's answer of philox4x32-10 for key 0 and counter 0.
                var generator = RandomGenerator(seed: 0)
                let words = (0..<4).map { _ in generator.nextWord() }
                try require(
                    words == [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8],
                    "the first words are \(words.map { String($0, radix: 16) }).")
                return ""
            },
            SelfCheck(name: "random numbers: own answer") {
                var generator = RandomGenerator(seed: 0x1234_5678_9abc_def0, stream: 5, position: 2)
                let words = (0..<4).map { _ in generator.nextWord() }
                try require(
                    words == ownAnswer,
                    "the words are \(words.map { String($0, radix: 16) }).")
                return ""
            },
            SelfCheck(name: "random numbers: resumed from a position") {
                var whole = RandomGenerator(seed: 7, stream: 3)
                for _ in 0..<13 { _ = whole.nextWord() }
                var resumed = RandomGenerator(seed: 7, stream: 3, position: 13)
                for _ in 0..<8 {
                    try require(whole.nextWord() == resumed.nextWord(), "the sequences differ.")
                }
                return ""
            },
        ]
    }

    /// Of this program's first version: seeds must mean the same in every later one.
    private static let ownAnswer: [UInt32] = [
        0xc86a_83d9, 0x27d5_5add, 0x72f0_3c2c, 0xfa2f_013f,
    ]
}

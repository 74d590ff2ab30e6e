// Rows for convolutions with their surroundings. SPDX-License-Identifier: Apache-2.0
import Core
import TestSupport

extension OperatorTable {
    private enum Prologue { case none, upsampled, normalized, activated }

    /// Inputs in order: x, weight, bias, residual, gain and shift of the norm.
    private static func fusedRow(
        _ prologue: Prologue, _ x: [Int], outputs: Int, isDifferentiable: Bool = false
    ) -> OperatorRow {
        let (groups, epsilon) = (x[1] % 2 == 0 ? 2 : 1, Float(1e-2))
        let scale = prologue == .upsampled ? 2 : 1
        let result = [x[0], outputs, scale * x[2], scale * x[3]]
        return OperatorRow(
            "fusedConvolution2D",
            [x, [outputs, x[1], 3, 3], [outputs], result, [x[1]], [x[1]]],
            isDifferentiable: isDifferentiable, tolerance: 5e-6,
            operation: { input in
                var chosen = ConvolutionPrologue.none
                switch prologue {
                case .none: break
                case .upsampled: chosen = .upsampledNearest2x
                case .normalized:
                    chosen = .groupNorm(
                        weight: input[4], bias: input[5], groups: groups, epsilon: epsilon)
                case .activated:
                    chosen = .groupNormSiLU(
                        weight: input[4], bias: input[5], groups: groups, epsilon: epsilon)
                }
                // The sum keeps unused inputs in the graph: their gradients are zero.
                let unused = (input[4].sum() + input[5].sum()) * 0
                return fusedConvolution2D(
                    input[0], prologue: chosen, weight: input[1], bias: input[2],
                    padding: .same(1), residual: input[3]) + unused
            },
            oracle: { input in
                var h = input[0]
                switch prologue {
                case .none: break
                case .upsampled:
                    let x = input[0]
                    h = OracleTensor([x.shape[0], x.shape[1], result[2], result[3]]) {
                        x[[$0[0], $0[1], $0[2] / 2, $0[3] / 2]]
                    }
                case .normalized, .activated:
                    h = naiveGroupNorm(
                        h, input[4], input[5], groups: groups, epsilon: epsilon,
                        silu: prologue == .activated)
                }
                var y = naiveConvolution(
                    h, input[1], input[2], stride: 1, padding: .same(1), groups: 1)
                for i in y.values.indices { y.values[i] += input[3].values[i] }
                return y
            })
    }

    /// Shapes that take one pass and shapes that don't.
    static let fusedConvolutions: [OperatorRow] =
        [Prologue.none, .upsampled, .normalized, .activated].flatMap { prologue in
            [
                fusedRow(prologue, [2, 4, 3, 5], outputs: 3, isDifferentiable: true),
                fusedRow(prologue, [2, 32, 16, 16], outputs: 35),
                fusedRow(prologue, [1, 33, 9, 15], outputs: 34),
                fusedRow(prologue, [1, 32, 17, 62], outputs: 32),
            ]
        }
}

"""Quarter turns and mirror images: the groups p4 and p4m, how they act, and convolutions over them.

A feature map over a group G is carried as a planar tensor [N, C * |G|, H, W] whose channel `c * |G| + g`
holds channel c at group element g, so that ReLU, spatial pooling, flattening and concatenation are the
ordinary modules. Element g = 4 * m + r mirrors m times (left to right), then turns r quarter turns
counter-clockwise. Of z2 (translations only) the identity is the one element, and the layers built for it are
the ordinary ones (Cohen and Welling 2016).
"""

from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional as F

ORDERS = {"z2": 1, "p4": 4, "p4m": 8}


def order(group: str) -> int:
    """Return the number of elements |G| of "z2", "p4" or "p4m"; any other name raises ValueError."""
    if group not in ORDERS:
        raise ValueError(f"group {group!r} is not one of {', '.join(ORDERS)}")
    return ORDERS[group]


def compose(g: int, h: int) -> int:
    """Return the element that acts as h first and g after it, both in 0..7."""
    mirror, turn = divmod(g, 4)
    other_mirror, other_turn = divmod(h, 4)
    # Seen through a mirror, a turn goes the other way round.
    sense = -1 if mirror else 1
    return 4 * (mirror ^ other_mirror) + (turn + sense * other_turn) % 4


def inverse(g: int) -> int:
    """Return the element that undoes g: the opposite turn, or the same mirror image again."""
    return g if g >= 4 else -g % 4


def move(x: Tensor, g: int) -> Tensor:
    """Mirror and turn the plane of x by element g (0..7): the action on images, x any tensor [..., H, W]."""
    mirror, turn = divmod(g, 4)
    return torch.rot90(x.flip(-1) if mirror else x, turn, (-2, -1))


def act(x: Tensor, g: int, group: str) -> Tensor:
    """Apply element g to a feature map over the group: (g x)[h] = g (x[g^-1 h]).

    x is [N, C * |G|, H, W] of any dtype, and so is the result (H and W change places at odd turns). Over z2,
    where the fibre has one element, this is `move`. ValueError if |G| does not divide the channels.
    """
    size = order(group)
    if x.shape[1] % size:
        raise ValueError(f"{x.shape[1]} channels do not hold whole fibres of {group}, {size} each")
    if size == 1:
        return move(x, g)
    source = [compose(inverse(g), h) for h in range(size)]
    return move(x.unflatten(1, (-1, size))[:, :, source].flatten(1, 2), g)


class GroupConv2d(nn.Conv2d):
    """A convolution over a group: one planar convolution with the bank of all transformed filters.

    With `lift` the input is an image [N, C_in, H, W] (the papers' P4ConvZ2), else a feature map over the
    group [N, C_in * |G|, H, W] (P4ConvP4); the output is [N, C_out * |G|, H', W']. The arguments
    `in_channels` and `out_channels` are C_in and C_out. The weight is [C_out, C_in, k, k], without `lift`
    [C_out, C_in * |G|, k, k]; the bias [C_out] is one for all the group. Both are drawn as in GrouPy, the code of
    Cohen and Welling 2016: from U(+-1 / sqrt(C_in k^2)), whatever |G| is. Exactly equivariant at stride 1.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        group: str,
        lift: bool = False,
        stride: int = 1,
        padding: int = 0,
        bias: bool = True,
    ):
        fibre = "z2" if lift else group
        super().__init__(in_channels * order(fibre), out_channels, kernel_size, stride, padding, bias=bias)
        self.group, self.lift = group, lift
        bound = 1 / sqrt(in_channels * kernel_size**2)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)
        # Where each number of a transformed filter comes from: the action itself, on a filter of positions.
        positions = torch.arange(self.weight[0].numel()).view(1, *self.weight.shape[1:])
        moved = torch.cat([act(positions, g, fibre) for g in range(order(group))])
        index = moved.permute(0, 2, 3, 1).flatten()  # the bank lies channels last, a fifth faster on a CPU
        self.register_buffer("index", index, persistent=False)

    def filter_bank(self) -> Tensor:
        """Return all transformed filters [C_out * |G|, input channels, k, k]; row `c * |G| + g` is g w_c."""
        _, inputs, height, width = self.weight.shape
        bank = self.weight.flatten(1).index_select(1, self.index)
        return bank.view(-1, height, width, inputs).permute(0, 3, 1, 2)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve x as the class says."""
        bias = None if self.bias is None else self.bias.repeat_interleave(order(self.group))
        return F.conv2d(x, self.filter_bank(), bias, self.stride, self.padding)

    def extra_repr(self) -> str:
        """Name the group beside what nn.Conv2d prints."""
        return f"{super().extra_repr()}, group={self.group}, lift={self.lift}"


class GroupBatchNorm2d(nn.BatchNorm3d):
    """Batch norm of maps [N, C * |G|, H, W] over a group, which shares statistics and affine [C]."""

    def forward(self, x: Tensor) -> Tensor:
        """Normalise x over images, group and plane at once."""
        return super().forward(x.unflatten(1, (self.num_features, -1))).flatten(1, 2)
